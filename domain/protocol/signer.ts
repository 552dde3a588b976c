/**
 * The signer: a CA of our own, whose key lies in AWS KMS. What the functions that issue, supersede and publish tell each other, and where its CRL lies.
 */
import { z } from 'zod';
import { serialNumberFromHex, type SerialNumber } from '../pki/serial-number.js';

/** Part of the settings of a trust anchor. */
export const SignerSettings = z.object({
  type: z.literal('kms'),
  keyArn: z.string(),
  /** nextUpdate − thisUpdate of its CRLs. */
  crlValidityDays: z.number(),
});
export type SignerSettings = z.infer<typeof SignerSettings>;

/** `arn:<partition>:kms:<region>:<account>:key/<id>`, the id of a multi-Region key included. */
export const KMS_KEY_ARN =
  /^arn:aws[a-z-]*:kms:[a-z]{2}[a-z-]*-\d:\d{12}:key\/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** A message on the publish queue: the CRL of this anchor is to be looked at, and published where there is a reason. */
export const PublishMessage = z.object({
  kind: z.literal('publish'),
  anchorId: z.string().min(1),
  /** A revocation was on record at this time: a CRL that was begun well after it has it. Absent: the regular look, or a person's word. */
  revokedAtMs: z.number().optional(),
});
export type PublishMessage = z.infer<typeof PublishMessage>;

/** Where the CRL of an anchor lies in the CRL bucket: one object, below the prefix that every external anchor has. */
export function signedCrlKey(anchorId: string): string {
  return `external/${anchorId}/${anchorId}.crl`;
}

const REFERENCE = /^signer:([a-z][a-z0-9-]{0,30}[a-z0-9]):([0-9a-f]{1,40})$/;

/** How a certificate is named until it is registered: what ACM PCA says by an ARN. */
export function signerReference(anchorId: string, serialNumber: SerialNumber): string {
  return `signer:${anchorId}:${serialNumber}`;
}

/** `undefined`: it names no certificate of a signer. */
export function readSignerReference(reference: string): { readonly anchorId: string; readonly serialNumber: SerialNumber } | undefined {
  const [, anchorId, serial] = REFERENCE.exec(reference) ?? [];
  return anchorId === undefined || serial === undefined ? undefined : { anchorId, serialNumber: serialNumberFromHex(serial) };
}
