/**
 * Keys that can be guessed from the public half: CVE-2017-15361 (ROCA), RSA keys of a chip's library. Elliptic curve keys are not concerned.
 * https://docs.aws.amazon.com/iot-device-defender/latest/devguide/audit-chk-device-cert-key-quality.html
 */
import type { X509Certificate } from 'node:crypto';
import type { IotState } from '../state.js';
import { deviceCertificate } from './certificate-checks.js';
import type { Evaluation, NonCompliance, Resource } from './non-compliance.js';

/** Odd primes up to 167. */
const PRIMES = Array.from({ length: 165 }, (_, index) => index + 3).filter((n) => {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
});

/** The powers of 65537 modulo a prime. */
const POWERS = PRIMES.map((prime) => {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * 65_537) % prime) powers.add(power);
  return powers;
});

/**
 * The fingerprint of Nemec et al., "The Return of Coppersmith's Attack" (2017): primes of that library are k·M + (65537^a mod M), so their product
 * is a power of 65537 modulo each small prime. A sound modulus passes with a probability below 2^-27.
 */
export function hasRocaFingerprint(modulus: bigint): boolean {
  return PRIMES.every((prime, index) => POWERS[index]!.has(Number(modulus % BigInt(prime))));
}

function isVulnerable(x509: X509Certificate): boolean {
  const { n } = x509.publicKey.export({ format: 'jwk' });
  return n !== undefined && hasRocaFingerprint(BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`));
}

function evaluate<T extends { readonly x509: X509Certificate }>(
  certificates: readonly T[],
  resource: (certificate: T) => Resource,
): Evaluation {
  const nonCompliant = certificates
    .filter(({ x509 }) => isVulnerable(x509))
    .map((certificate): NonCompliance => ({
      resource: resource(certificate),
      reason: 'Certificate has a key that is vulnerable to CVE-2017-15361.',
      reasonCode: 'CERTIFICATE_KEY_VULNERABILITY_CVE-2017-15361',
    }));
  return { total: certificates.length, nonCompliant };
}

export const deviceKeyQuality = (state: IotState): Evaluation =>
  evaluate(
    [...state.certificates.values()].filter(({ status }) => status === 'ACTIVE' || status === 'PENDING_TRANSFER'),
    deviceCertificate,
  );

export const caKeyQuality = (state: IotState): Evaluation =>
  evaluate(
    [...state.cas.values()].filter(({ status }) => status === 'ACTIVE'),
    ({ certificateId }) => ({ resourceType: 'CA_CERTIFICATE', resourceIdentifier: { caCertificateId: certificateId } }),
  );
