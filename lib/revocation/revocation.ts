/**
 * From a CRL in the bucket, or the event of a Private CA, to a certificate that is refused:
 *
 *     Object Created ─┐                          brake
 *     sweep ──────────┼─► sync queue ─► sync ──────────► revoke queue ─► revoke ─► AWS IoT registry
 *     approval ───────┘                                       ▲
 *     Private CA event ─► fast queue ─► fast ─────────────────┘
 */
import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import type { SyncMessage } from '../../domain/protocol/revocation.js';
import type { FastVariables } from '../../lambda/revocation/fast/env.js';
import type { RevokeVariables } from '../../lambda/revocation/revoke/env.js';
import type { SyncVariables } from '../../lambda/revocation/sync/env.js';
import { crlPrefixOf } from '../config/anchor-config.js';
import type { AppContext } from '../shared/app-context.js';
import { GuardedFunction } from '../shared/guarded-function.js';
import * as may from '../shared/permissions.js';
import { brakeVariables, revocationVariables } from './variables.js';

export interface RevocationProps extends AppContext {
  /** Where a reconciliation is asked for. Resolved late: the inventory's functions in turn send to the revoke queue. */
  readonly reconcileQueue: { readonly queueUrl: string; readonly queueArn: string };
}

export class Revocation extends Construct {
  readonly sync: GuardedFunction<SyncVariables>;
  readonly fast: GuardedFunction<FastVariables>;
  readonly revoke: GuardedFunction<RevokeVariables>;

  constructor(
    scope: Construct,
    id: string,
    private readonly context: RevocationProps,
  ) {
    super(scope, id);
    this.revoke = this.makeRevoke();
    this.sync = this.makeSync();
    this.fast = this.makeFast();
    this.onCrlPut();
    this.sweepRegularly();
    if (this.settings.fastPath && this.context.state.trust.privateCaArns.length > 0) this.onRevocationEvent();
  }

  private get settings() {
    return this.context.installation.configuration.revocation;
  }

  private makeRevoke(): GuardedFunction<RevokeVariables> {
    const { state } = this.context;
    const revoke = new GuardedFunction<RevokeVariables>(this, 'Revoke', {
      ...this.context,
      name: 'revocation-revoke',
      description: 'Revokes one certificate after the other at AWS IoT, paced, and drops its connection',
      environment: (ownQueueUrl) => ({
        ...revocationVariables(this.context),
        REVOKE_QUEUE_URL: ownQueueUrl,
        RECONCILE_QUEUE_URL: this.context.reconcileQueue.queueUrl,
        REVOKE_PER_SECOND: String(this.settings.ratePerSecond),
        SECOND_STAGE_DELAY_MINUTES: String(this.settings.secondStageDelayMinutes),
      }),
      timeout: Duration.minutes(2),
      memoryMiB: 512,
      batchSize: batchAt(this.settings.ratePerSecond),
      // The pace is shared through the ledger; two workers hide the latency of the calls behind it, more would only wait.
      maxConcurrency: 2,
      // 10,000 revocations at ten a second are 17 minutes.
      stalledAfter: Duration.hours(1),
      continuesItself: true,
    });
    revoke
      .allow(may.onTable(state.inventory, 'GetItem', 'Query', 'PutItem', 'UpdateItem'))
      .allow(may.onTable(state.ledger, 'GetItem', 'PutItem', 'UpdateItem'))
      .allow(may.readTrustAnchors(this, state.trust.parameterPath))
      .allow(may.getIssuedCertificates(state.trust.privateCaArns))
      .allow(may.readRegistry(this))
      .allow({ actions: ['sqs:SendMessage'], resources: [revoke.source.queue.queueArn, this.context.reconcileQueue.queueArn] });
    // In `observe` and `off` the function has no permission to change anything: the promise does not rest on its code.
    if (this.settings.mode === 'enforce') revoke.allow(may.changeCertificateStatus(this)).allow(may.dropConnections(this));
    return revoke;
  }

  private makeSync(): GuardedFunction<SyncVariables> {
    const { state } = this.context;
    const { crlBucket } = state.trust;
    const sync = new GuardedFunction<SyncVariables>(this, 'Sync', {
      ...this.context,
      name: 'revocation-sync',
      description: 'Reads and verifies a CRL, compares it with the highest one applied, and hands over what is new',
      environment: (ownQueueUrl) => ({
        ...revocationVariables(this.context),
        ...brakeVariables(this.context),
        CRL_BUCKET: crlBucket.bucketName,
        STATE_BUCKET: state.stateBucket.bucketName,
        REVOKE_QUEUE_URL: this.revoke.source.queue.queueUrl,
        SYNC_QUEUE_URL: ownQueueUrl,
        CLOCK_SKEW_SECONDS: String(this.settings.clockSkewSeconds),
      }),
      timeout: Duration.minutes(5),
      memoryMiB: 512,
      batchSize: 1,
      maxConcurrency: 2,
      stalledAfter: Duration.minutes(30),
    });
    const objects = (bucket: typeof crlBucket, prefixes: readonly string[]) => prefixes.map((prefix) => bucket.arnForObjects(`${prefix}*`));
    return (
      sync
        .allow({
          actions: ['s3:GetObject', 's3:GetObjectVersion'],
          resources: objects(crlBucket, this.crlPrefixes()),
          wildcard:
            'CRL objects are named by the CAs: a partitioned one makes new names as it grows. Read only, and below the prefixes of the anchors.',
        })
        // Also tells "gone" from "forbidden": without it S3 answers 403 for an object that does not exist.
        .allow({ actions: ['s3:ListBucket'], resources: [crlBucket.bucketArn] })
        .allow({
          actions: ['s3:GetObject', 's3:PutObject'],
          resources: objects(state.stateBucket, ['state/', 'holds/']),
          wildcard: 'Each applied CRL and each held list is an object of its own, named by digests that are known when they are written.',
        })
        .allow({ actions: ['s3:ListBucket'], resources: [state.stateBucket.bucketArn] })
        .allow(may.onTable(state.inventory, 'GetItem', 'BatchGetItem'))
        .allow(may.onTable(state.ledger, 'GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'))
        .allow(may.onIndex(state.ledger, 'byObject'))
        // All marks: the sweep looks for objects that have disappeared. The index holds one row for each CRL object and nothing else.
        .allow(may.onIndex(state.ledger, 'byObject', 'dynamodb:Scan'))
        .allow(may.readTrustAnchors(this, state.trust.parameterPath))
        .allow({ actions: ['sqs:SendMessage'], resources: [this.revoke.source.queue.queueArn, sync.source.queue.queueArn] })
    );
  }

  private makeFast(): GuardedFunction<FastVariables> {
    const { state } = this.context;
    return new GuardedFunction<FastVariables>(this, 'Fast', {
      ...this.context,
      name: 'revocation-fast',
      description: 'Acts on the revocation event of a Private CA, without waiting for its CRL',
      environment: () => ({
        ...revocationVariables(this.context),
        ...brakeVariables(this.context),
        REVOKE_QUEUE_URL: this.revoke.source.queue.queueUrl,
      }),
      timeout: Duration.minutes(1),
      memoryMiB: 256,
      batchSize: 1,
      maxConcurrency: 2,
      stalledAfter: Duration.minutes(15),
    })
      .allow(may.onTable(state.inventory, 'GetItem', 'BatchGetItem'))
      .allow(may.onTable(state.ledger, 'GetItem', 'PutItem'))
      .allow(may.readTrustAnchors(this, state.trust.parameterPath))
      .allow(may.getIssuedCertificates(state.trust.privateCaArns))
      .allow({ actions: ['sqs:SendMessage'], resources: [this.revoke.source.queue.queueArn] });
  }

  private crlPrefixes(): string[] {
    return [...new Set([...this.context.installation.configuration.trustAnchors.map(crlPrefixOf), 'external/'])];
  }

  /**
   * Wildcards and not a prefix and a suffix: EventBridge ORs the filters of one field. What does not match never becomes a message, so that
   * the objects by which a CA tests its permission are dropped beside it. `external/` also where no anchor is there: a CRL that nobody
   * answers for is an alarm.
   */
  private onCrlPut(): void {
    const keys = this.crlPrefixes().flatMap((prefix) => [`${prefix}*.crl`, ...(prefix.startsWith('external/') ? [`${prefix}*.pem`] : [])]);
    new Rule(this, 'CrlPut', {
      ruleName: `${this.context.installation.configuration.prefix}-crl-put`,
      description: 'A CRL was put into the CRL bucket',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: {
          bucket: { name: [this.context.state.trust.crlBucket.bucketName] },
          object: { key: keys.map((wildcard) => ({ wildcard })) },
        },
      },
      targets: [this.sync.source.asTarget('crl-put')],
    });
  }

  private sweepRegularly(): void {
    const sweep: SyncMessage = { kind: 'sweep' };
    new Rule(this, 'Sweep', {
      ruleName: `${this.context.installation.configuration.prefix}-sweep`,
      description: 'Looks at every known CRL object again: a lost event costs minutes',
      schedule: Schedule.rate(Duration.minutes(this.settings.sweepMinutes)),
      targets: [this.sync.source.asTarget('sweep', RuleTargetInput.fromObject(sweep))],
    });
  }

  /** Best effort at AWS's side (FACTS A7): the CRL is the authority, this only makes it faster. A failed revocation sends no event. */
  private onRevocationEvent(): void {
    new Rule(this, 'Revoked', {
      ruleName: `${this.context.installation.configuration.prefix}-revoked-at-ca`,
      description: 'A certificate was revoked at one of our Private CAs',
      eventPattern: {
        source: ['aws.acm-pca'],
        detailType: ['ACM Private CA Certificate Revocation'],
        resources: [...this.context.state.trust.privateCaArns],
        detail: { result: ['success'] },
      },
      targets: [this.fast.source.asTarget('revoked-at-ca')],
    });
  }
}

/** Messages that one call takes: the slots of two batches at once must end within a minute, half of the time-out, however slow the pace is set. */
const batchAt = (perSecond: number): number => Math.min(10, Math.max(1, Math.floor(perSecond * 30)));
