/**
 * Keeps the inventory true: what the CAs issue, what registers, who connects, and once a day the whole registry.
 *
 *     Private CA issuance event ─┐
 *     presence, registration ────┴─► inventory queue ─► record ─┐
 *     daily ─► reconcile queue ─► reconcile ─┐                  ├─► inventory table; remembered revocations ─► revoke queue
 *                    ▲                       ├──────────────────┘
 *                    └── continue ───────────┘
 */
import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { INVENTORY_RULES, type ReconcileMessage } from '../../domain/protocol/inventory-events.js';
import type { ReconcileVariables } from '../../lambda/inventory/reconcile/env.js';
import type { RecordVariables } from '../../lambda/inventory/record/env.js';
import { brakeVariables, decimal } from '../revocation/variables.js';
import type { AppContext } from '../shared/app-context.js';
import { GuardedFunction } from '../shared/guarded-function.js';
import * as may from '../shared/permissions.js';
import { RuleToQueue } from './rule-to-queue.js';

export interface InventoryProps extends AppContext {
  /** Where a revocation goes that was remembered for a certificate which has turned up now. */
  readonly revokeQueue: IQueue;
}

export class InventoryFeed extends Construct {
  readonly record: GuardedFunction<RecordVariables>;
  readonly reconcile: GuardedFunction<ReconcileVariables>;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: InventoryProps,
  ) {
    super(scope, id);
    this.record = this.makeRecord();
    this.reconcile = this.makeReconcile();
    this.listenToRegistry();
    if (props.state.trust.privateCaArns.length > 0) this.listenToIssuance();
    this.reconcileRegularly();
  }

  /** Rotation is on: a connection with a new certificate counts as its proof, and what the CAs issue is compared with what was asked for. */
  tellRotation(proveQueue: IQueue): void {
    this.record.function.addEnvironment('PROVE_QUEUE_URL', proveQueue.queueUrl);
    this.record.allow({ actions: ['sqs:SendMessage'], resources: [proveQueue.queueArn] });
  }

  /** Quarantine is on: it is told of certificates that turn up on a contained thing, and who uses whose client id is remembered. */
  tellQuarantine(watchQueue: IQueue): void {
    this.record.function.addEnvironment('WATCH_QUEUE_URL', watchQueue.queueUrl);
    this.record.allow({ actions: ['sqs:SendMessage'], resources: [watchQueue.queueArn] });
  }

  private variables() {
    const { installation, state } = this.props;
    const { configuration } = installation;
    return {
      APPLICATION: configuration.prefix,
      INVENTORY_TABLE: state.inventory.tableName,
      LEDGER_TABLE: state.ledger.tableName,
      INVENTORY_PER_SECOND: decimal(configuration.inventory.ratePerSecond),
      REVOKE_QUEUE_URL: this.props.revokeQueue.queueUrl,
      REVOCATION_MODE: configuration.revocation.mode,
      ...brakeVariables(this.props),
    };
  }

  private makeRecord(): GuardedFunction<RecordVariables> {
    const { state } = this.props;
    return new GuardedFunction<RecordVariables>(this, 'Record', {
      ...this.props,
      name: 'inventory-record',
      description: 'Records issued, registered and connected certificates in the inventory',
      environment: () => this.variables(),
      timeout: Duration.minutes(1),
      memoryMiB: 256,
      batchSize: 10,
      maxConcurrency: 2,
      // A fleet that comes back after an outage connects faster than the registry may be asked.
      stalledAfter: Duration.hours(6),
    })
      .allow(may.onTable(state.inventory, 'GetItem', 'PutItem', 'UpdateItem'))
      .allow(may.onTable(state.ledger, 'GetItem', 'PutItem', 'UpdateItem'))
      .allow(may.getIssuedCertificates(state.trust.privateCaArns))
      .allow(may.readRegistry(this))
      .allow({ actions: ['sqs:SendMessage'], resources: [this.props.revokeQueue.queueArn] });
  }

  private makeReconcile(): GuardedFunction<ReconcileVariables> {
    const { state } = this.props;
    const reconcile = new GuardedFunction<ReconcileVariables>(this, 'Reconcile', {
      ...this.props,
      name: 'inventory-reconcile',
      description: 'Reads the whole registry in resumable steps and compares it with the inventory',
      environment: (ownQueueUrl) => ({
        ...this.variables(),
        TRUST_PARAMETER_PATH: state.trust.parameterPath,
        RECONCILE_QUEUE_URL: ownQueueUrl,
      }),
      timeout: Duration.minutes(5),
      memoryMiB: 256,
      batchSize: 1,
      maxConcurrency: 2,
      stalledAfter: Duration.hours(1),
      continuesItself: true,
    });
    return reconcile
      .allow(may.onTable(state.inventory, 'GetItem', 'BatchGetItem', 'PutItem', 'UpdateItem', 'BatchWriteItem'))
      .allow(may.onTable(state.ledger, 'GetItem', 'PutItem', 'UpdateItem'))
      .allow(may.onIndex(state.inventory, 'byStatus'))
      .allow(may.onIndex(state.inventory, 'byThing'))
      .allow(may.readTrustAnchors(this, state.trust.parameterPath))
      .allow(may.listRegistry())
      .allow(may.readRegistry(this))
      .allow({ actions: ['sqs:SendMessage'], resources: [reconcile.source.queue.queueArn, this.props.revokeQueue.queueArn] });
  }

  private listenToRegistry(): void {
    for (const [name, { sql, description }] of Object.entries(INVENTORY_RULES)) {
      new RuleToQueue(this, `On${name[0]?.toUpperCase()}${name.slice(1)}`, {
        ruleName: `${this.props.installation.configuration.prefix}_${name}`.replaceAll('-', '_'),
        description,
        sql,
        target: this.record.source,
      });
    }
  }

  private listenToIssuance(): void {
    new Rule(this, 'Issued', {
      ruleName: `${this.props.installation.configuration.prefix}-issued`,
      description: 'A certificate was issued by one of our Private CAs',
      eventPattern: {
        source: ['aws.acm-pca'],
        detailType: ['ACM Private CA Certificate Issuance'],
        resources: [...this.props.state.trust.privateCaArns],
        detail: { result: ['success'] },
      },
      targets: [this.record.source.asTarget('issued')],
    });
  }

  private reconcileRegularly(): void {
    const start: ReconcileMessage = { kind: 'start' };
    new Rule(this, 'ReconcileRegularly', {
      ruleName: `${this.props.installation.configuration.prefix}-reconcile`,
      description: 'Compares the inventory with the whole registry',
      schedule: Schedule.rate(Duration.hours(this.props.installation.configuration.inventory.reconcileHours)),
      targets: [this.reconcile.source.asTarget('reconcile', RuleTargetInput.fromObject(start))],
    });
  }
}
