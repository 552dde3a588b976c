import { boolean, context, integer, namedBits, octetString, oid, sequence, type Der } from './der.js';
import { uri } from './names.js';

/** RFC 5280 object identifiers of the extensions that are written here. */
export const OID = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  cRLNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  issuingDistributionPoint: '2.5.29.28',
  cRLDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
} as const;

export interface Extension {
  readonly oid: string;
  readonly der: Der;
}

export const extension = (identifier: string, value: Uint8Array, critical = false): Extension => ({
  oid: identifier,
  der: sequence(oid(identifier), ...(critical ? [boolean(true)] : []), octetString(value)),
});

/** DER leaves out a default: cA FALSE is an empty sequence. */
export const basicConstraints = (ca: boolean, pathLength: number | undefined, critical: boolean): Extension =>
  extension(
    OID.basicConstraints,
    sequence(...(ca ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])),
    critical,
  );

/** Bits of RFC 5280 §4.2.1.3 in their order, by the API's names. */
export const KEY_USAGE_BITS = [
  'DigitalSignature',
  'NonRepudiation',
  'KeyEncipherment',
  'DataEncipherment',
  'KeyAgreement',
  'KeyCertSign',
  'CRLSign',
  'EncipherOnly',
  'DecipherOnly',
] as const;
export type KeyUsageBit = (typeof KEY_USAGE_BITS)[number];

export const keyUsage = (set: readonly KeyUsageBit[]): Extension =>
  extension(OID.keyUsage, namedBits(KEY_USAGE_BITS.map((bit) => set.includes(bit))), true);

/** Extended key usages by the API's names (RFC 5280 §4.2.1.12, RFC 6962, Microsoft smart card logon). */
export const EXTENDED_KEY_USAGES: Readonly<Record<string, string>> = {
  SERVER_AUTH: '1.3.6.1.5.5.7.3.1',
  CLIENT_AUTH: '1.3.6.1.5.5.7.3.2',
  CODE_SIGNING: '1.3.6.1.5.5.7.3.3',
  EMAIL_PROTECTION: '1.3.6.1.5.5.7.3.4',
  TIME_STAMPING: '1.3.6.1.5.5.7.3.8',
  OCSP_SIGNING: '1.3.6.1.5.5.7.3.9',
  SMART_CARD_LOGIN: '1.3.6.1.4.1.311.20.2.2',
  DOCUMENT_SIGNING: '1.3.6.1.4.1.311.10.3.12',
  CERTIFICATE_TRANSPARENCY: '1.3.6.1.4.1.11129.2.4.4',
};
export const extKeyUsage = (identifiers: readonly string[]): Extension => extension(OID.extKeyUsage, sequence(...identifiers.map(oid)));

export const subjectKeyIdentifier = (keyIdentifier: Uint8Array): Extension =>
  extension(OID.subjectKeyIdentifier, octetString(keyIdentifier));
/** keyIdentifier [0] alone: neither issuer nor serial (RFC 5280 §4.2.1.1). */
export const authorityKeyIdentifier = (keyIdentifier: Uint8Array): Extension =>
  extension(OID.authorityKeyIdentifier, sequence(Buffer.concat([Buffer.from([0x80, keyIdentifier.length]), keyIdentifier])));

/** distributionPoint [0] { fullName [0] { uniformResourceIdentifier } }, RFC 5280 §4.2.1.13. */
const fullName = (location: string): Der => context(0, context(0, uri(location)));
export const crlDistributionPoints = (location: string): Extension =>
  extension(OID.cRLDistributionPoints, sequence(sequence(fullName(location))));
/** Critical (RFC 5280 §5.2.5): this CRL covers only the certificates that point here. */
export const issuingDistributionPoint = (location: string): Extension =>
  extension(OID.issuingDistributionPoint, sequence(fullName(location)), true);
export const crlNumber = (value: bigint): Extension => extension(OID.cRLNumber, integer(value));
