import { documentClient, s3Client, ssmClient } from '../../aws/clients.js';
import { s3CrlObjects } from '../../aws/crl-objects.js';
import { dynamoDecisionLog } from '../../aws/decision-log.js';
import { kmsCaSigner, kmsClient } from '../../aws/kms-ca-signer.js';
import { dynamoCrlPublications } from '../../aws/kms-publications.js';
import { dynamoCaRecords } from '../../aws/kms-records.js';
import { ssmTrustAnchors } from '../../aws/trust-anchors.js';
import { wallClock as clock } from '../../runtime/clock.js';
import { readEnvironment } from '../../runtime/environment.js';
import { lambdaSignals } from '../../runtime/signals.js';
import { sqsHandler } from '../../runtime/sqs-handler.js';
import { PublishEnv } from './env.js';
import { PublishMessage } from './event.js';
import type { PublishPorts } from './ports.js';
import { run } from './run.js';

const env = readEnvironment(PublishEnv);
const signals = lambdaSignals(env.APPLICATION, clock);
const ledger = { client: documentClient(), table: env.LEDGER_TABLE };
const kms = kmsClient();
const ports: PublishPorts = {
  anchors: ssmTrustAnchors(ssmClient(), env.TRUST_PARAMETER_PATH, clock),
  clock,
  decisions: dynamoDecisionLog(ledger),
  objects: s3CrlObjects(s3Client(), env.CRL_BUCKET),
  publications: dynamoCrlPublications(ledger),
  records: dynamoCaRecords(ledger, clock),
  signals,
  signerOf: (keyArn) => kmsCaSigner(kms, keyArn),
};

/** Revocations on record, or a CRL that is half over → a new CRL in the bucket. */
export const handler = sqsHandler(PublishMessage, signals, (message) => run(ports, message));
