/**
 * `fleetwarden ca revoke`: for a CA whose key we hold, what the console does for one at AWS Private CA. The certificate comes on the next CRL, and from
 * there on everything is as with every CRL: sync reads it, the brake counts it, revoke carries it out.
 */
import { Certificate } from '../../domain/pki/certificate.js';
import { serialNumberFromHex, type SerialNumber } from '../../domain/pki/serial-number.js';
import type { CrlReason } from '../../domain/pki/crl-reason.js';
import { revokeSigned } from '../aws/kms-issued.js';
import { Misused, Refused, type Answer } from './answer.js';
import type { Application } from './application.js';

/** What a person may say. Not `certificateHold`, which nobody here could take back, nor reasons that are about CAs. */
export const REVOCATION_REASONS = [
  'keyCompromise',
  'superseded',
  'cessationOfOperation',
  'affiliationChanged',
  'privilegeWithdrawn',
  'unspecified',
] as const satisfies readonly CrlReason[];

export interface CaRevokeOptions {
  readonly anchor: string;
  readonly reason: string;
}

export async function revokeAtCa(application: Application, serial: string, options: CaRevokeOptions): Promise<Answer> {
  const { anchors, caRecords, clock, decisions, publishQueue } = application;
  const reason = REVOCATION_REASONS.find((one) => one === options.reason);
  if (reason === undefined) throw new Misused(`--reason: got "${options.reason}", expected one of ${REVOCATION_REASONS.join(', ')}`);
  const serialNumber = readSerial(serial);
  const anchor = (await anchors.all()).find(({ anchorId }) => anchorId === options.anchor);
  if (anchor?.signer === undefined || publishQueue === undefined)
    throw new Refused(`trust anchor "${options.anchor}" has no signer here: revoke at the CA itself`);

  const by = await application.caller();
  const subject = `SERIAL#${Certificate.read(anchor.certificatePem).subjectId}#${serialNumber}`;
  const detail = { anchorId: anchor.anchorId, serialNumber, crlReason: reason };
  const decision = { subject, act: 'revoke-at-ca', reason: 'operator', runId: anchor.anchorId, by, detail } as const;
  await decisions.append({ ...decision, step: 'intent', atMs: clock.nowMs() });
  const isNew = await revokeSigned(
    { records: caRecords, clock, publish: publishQueue, isForeignClock: true },
    anchor,
    serialNumber,
    reason,
  );
  await decisions.append({ ...decision, step: 'outcome', atMs: clock.nowMs() });
  return {
    json: { ...detail, revoked: isNew ? 'now' : 'before' },
    text: () =>
      isNew
        ? `Revoked at its CA: it is on the next CRL of ${anchor.anchorId}, within two minutes, and the fleet acts on that.`
        : `Revoked before: time and reason of then stand. The CRL of ${anchor.anchorId} has been asked for again.`,
  };
}

function readSerial(text: string): SerialNumber {
  try {
    return serialNumberFromHex(text);
  } catch (error) {
    throw new Misused((error as Error).message);
  }
}
