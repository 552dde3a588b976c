/**
 * From a granted request to the CA's certificate, at most one for each rotation:
 *
 *     IssueCertificate(token) ─► reference on record ─► wait for the certificate
 *                             ▲
 *                             └ dies here: the same token gives the same reference for five minutes (PAPI IssueCertificate), and redelivery
 *                               is faster than that. Later, the CA makes a second certificate. The first was never registered, so it cannot
 *                               connect, and never sent to anybody; the inventory has it from the CA's issuance event as NOT_REGISTERED,
 *                               with its ARN: that is where it is found.
 */
import { createHash } from 'node:crypto';
import { commonNameOf } from '../../../domain/fleet/subject-name.js';
import type { CertificateRequest } from '../../../domain/pki/certificate-request.js';
import type { Rotation } from '../../ports/rotations.js';
import { advance } from './advance.js';
import type { IssuePorts, IssueSettings } from './ports.js';

/** The longest token of IssueCertificate. */
const TOKEN_CHARACTERS = 36;
/** So often a second the CA is asked, and so often in all: after that the message goes back to its queue, and goes on from here. */
const POLL_MS = 1_000;
const POLLS = 20;

/** One token for one rotation and request, whoever computes it. */
function tokenOf({ oldCertificateId, createdAtMs, csrSha256 }: Rotation): string {
  return createHash('sha256').update(`${oldCertificateId}/${createdAtMs}/${csrSha256}`).digest('hex').slice(0, TOKEN_CHARACTERS);
}

/** Resolves to the rotation with the reference of its certificate on record. */
export async function order(
  ports: IssuePorts,
  { validityDays }: IssueSettings,
  rotation: Rotation,
  request: CertificateRequest,
): Promise<Rotation & { readonly newCertificateArn: string }> {
  if (rotation.newCertificateArn !== undefined) return { ...rotation, newCertificateArn: rotation.newCertificateArn };
  const newCertificateArn = await ports.ca.issue({
    csrDer: request.der,
    commonName: commonNameOf(rotation.thingName),
    validityDays,
    idempotencyToken: tokenOf(rotation),
  });
  // Only from `requested`: of two that ordered at once, the one that comes second takes the reference of the first.
  const ordered = await advance(ports, rotation, ['requested', 'escalated'], { state: 'issued', newCertificateArn });
  return { ...ordered, newCertificateArn: ordered.newCertificateArn ?? newCertificateArn };
}

/** PEM. Throws when the CA takes too long. */
export async function fetched({ ca, clock }: IssuePorts, reference: string): Promise<string> {
  for (let poll = 1; poll <= POLLS; poll += 1) {
    const pem = await ca.fetch(reference);
    if (pem !== undefined) return pem;
    await clock.sleepUntil(clock.nowMs() + POLL_MS);
  }
  throw new Error(`${reference}: not issued after ${POLLS} s, asked for again at the next delivery`);
}
