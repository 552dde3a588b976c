/**
 * CAs of our own, whose keys lie in AWS KMS: the cheap way to issue (docs/signer.md).
 *
 *     rotation-issue  ── kms:Sign ─► certificate, in the ledger
 *     rotation-retire ── revoked in the ledger ─► publish queue ─► publish ── kms:Sign ─► CRL in the bucket ─► sync, as every CRL
 *     every hour ──────────────────────────────►      "
 *
 * The key is not made here: it must outlive every deployment, and who holds it decides who belongs to the fleet.
 */
import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import { signedCrlKey, type PublishMessage } from '../../domain/protocol/signer.js';
import type { PublishVariables } from '../../lambda/signer/publish/env.js';
import { hasSigner, kmsAlgorithmOf, type SignerAnchor } from '../config/anchor-config.js';
import type { AppContext } from '../shared/app-context.js';
import { GuardedFunction, type Permission } from '../shared/guarded-function.js';
import * as may from '../shared/permissions.js';
import { watchSigner } from './watch.js';

/** A revocation asks for a CRL by itself: this is for what was lost, and for the CRL's own time. */
const LOOK_MINUTES = 60;

/** A function of another capability, as far as it is let in here. */
type Other = Pick<GuardedFunction<Readonly<Record<string, string>>>, 'function' | 'allow'>;

export class Signer extends Construct {
  readonly publish: GuardedFunction<PublishVariables>;
  private readonly anchors: readonly SignerAnchor[];

  constructor(
    scope: Construct,
    id: string,
    private readonly context: AppContext,
  ) {
    super(scope, id);
    this.anchors = context.installation.configuration.trustAnchors.filter(hasSigner);
    this.publish = this.makePublish();
    this.lookRegularly();
    watchSigner(context.alarms, {
      publish: this.publish.function,
      crlValidityDays: Math.min(...this.anchors.map(({ signer }) => signer.crlValidityDays)),
      lookMinutes: LOOK_MINUTES,
    });
  }

  /** Has the issuing function sign certificates with the key of that anchor, where it is one of ours. */
  letIssue(issue: Other, anchorId: string): void {
    for (const anchor of this.anchors.filter(({ id }) => id === anchorId)) for (const permission of useKey(anchor)) issue.allow(permission);
  }

  /** Has the retiring function ask for a CRL after it has put a revocation on record. */
  letSupersede(retire: Other): void {
    const { queue } = this.publish.source;
    retire.function.addEnvironment('PUBLISH_QUEUE_URL', queue.queueUrl);
    retire.allow({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] });
  }

  private makePublish(): GuardedFunction<PublishVariables> {
    const { installation, state } = this.context;
    const { crlBucket, parameterPath } = state.trust;
    const publish = new GuardedFunction<PublishVariables>(this, 'Publish', {
      ...this.context,
      name: 'signer-publish',
      description: 'Writes the CRLs of the CAs whose keys are in KMS into the CRL bucket',
      environment: () => ({
        APPLICATION: installation.configuration.prefix,
        LEDGER_TABLE: state.ledger.tableName,
        CRL_BUCKET: crlBucket.bucketName,
        TRUST_PARAMETER_PATH: parameterPath,
      }),
      timeout: Duration.minutes(2),
      // A list of a million entries takes half of it.
      memoryMiB: 1024,
      // The certificates of a campaign come one by one, and one CRL names them all: all messages but one of a batch find that it does.
      batchSize: 10,
      maxConcurrency: 2,
      stalledAfter: Duration.minutes(30),
    });
    publish
      .allow(may.onTable(state.ledger, 'GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'))
      .allow(may.readTrustAnchors(this, parameterPath))
      // One object for each anchor, and no other: a CRL is put over the one that was seen before (If-Match), for which S3 asks GetObject too.
      .allow({
        actions: ['s3:GetObject', 's3:PutObject'],
        resources: this.anchors.map(({ id }) => crlBucket.arnForObjects(signedCrlKey(id))),
      })
      // Tells "none yet" from "forbidden": without it S3 answers 403 for an object that does not exist.
      .allow({ actions: ['s3:ListBucket'], resources: [crlBucket.bucketArn] });
    for (const anchor of this.anchors) for (const permission of useKey(anchor)) publish.allow(permission);
    return publish;
  }

  private lookRegularly(): void {
    const { prefix } = this.context.installation.configuration;
    for (const { id } of this.anchors) {
      const message: PublishMessage = { kind: 'publish', anchorId: id };
      new Rule(this, `Look-${id}`, {
        ruleName: `${prefix}-crl-publish-${id}`,
        description: `Publishes the CRL of ${id} where it is due`,
        schedule: Schedule.rate(Duration.minutes(LOOK_MINUTES)),
        targets: [this.publish.source.asTarget(`crl-publish-${id}`, RuleTargetInput.fromObject(message))],
      });
    }
  }
}

/**
 * That very key, with the one algorithm of its CA, and digests only: a function that was taken over cannot have it sign in another scheme. What is in the
 * digest KMS cannot see: docs/signer.md says what bounds that.
 */
function useKey(anchor: SignerAnchor): readonly Permission[] {
  const resources = [anchor.signer.keyArn];
  return [
    {
      actions: ['kms:Sign'],
      resources,
      conditions: { StringEquals: { 'kms:SigningAlgorithm': kmsAlgorithmOf(anchor), 'kms:MessageType': 'DIGEST' } },
    },
    { actions: ['kms:GetPublicKey'], resources },
  ];
}
