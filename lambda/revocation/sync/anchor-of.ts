/** Which pinned CAs may speak through which object of the CRL bucket. */
import { Certificate } from '../../../domain/pki/certificate.js';
import type { SerialNumber } from '../../../domain/pki/serial-number.js';
import type { TrustAnchor } from '../../../domain/pki/trust-anchor.js';

export interface PinnedCa {
  readonly settings: TrustAnchor;
  readonly certificate: Certificate;
}

export const pinned = (anchors: readonly TrustAnchor[]): readonly PinnedCa[] =>
  anchors.map((settings) => ({ settings, certificate: Certificate.read(settings.certificatePem) }));

/** The CAs below whose prefix the object lies. A CA cannot be heard from another one's folder. */
export const speakingAt = (key: string, cas: readonly PinnedCa[]): readonly PinnedCa[] =>
  cas.filter(({ settings }) => key.startsWith(settings.crl.prefix));

/** Is `uri` a name under which this CA publishes the CRL that lies at `key`? RFC 5280 §6.3.3 (b)(2)(i), with the object in place of the certificate's CDP. */
export function publishesAs(uri: string, key: string, { settings }: PinnedCa): boolean {
  const name = key.slice(key.lastIndexOf('/') + 1);
  return settings.crl.distributionPoints.some((template) => template.replaceAll('{key}', key).replaceAll('{name}', name) === uri);
}

/** Serial numbers, under this issuer's name, of certificates that belong to pinned CAs themselves: its own, if it is a root, and those of its subordinates. */
export function serialsOfCas(issuer: PinnedCa, cas: readonly PinnedCa[]): ReadonlySet<SerialNumber> {
  return new Set(
    cas
      .filter(({ certificate }) => certificate.issuerId === issuer.certificate.subjectId)
      .map(({ certificate }) => certificate.serialNumber),
  );
}
