/**
 * Reads one CRL object against what has been handed over. The CRL says only at its end which issuer key and partition it belongs to, and it
 * should be read once: so the mark last raised from this object is taken for the right one, and the reading is repeated where it was not.
 */
import { type AcceptedCrl, type CrlRefusal, readCrl } from '../../../domain/pki/crl-reader.js';
import type { SerialSet } from '../../../domain/pki/serial-set.js';
import { readSerialSet } from '../../../domain/pki/serial-state.js';
import type { CrlObject, CrlObjectRef, CrlStore } from '../../ports/crl-store.js';
import type { HighWater, HighWaterMarks } from '../../ports/high-water.js';
import type { SerialState } from '../../ports/serial-state.js';
import { publishesAs, speakingAt, type PinnedCa } from './anchor-of.js';

export interface LookPorts {
  readonly crls: CrlStore;
  readonly marks: Pick<HighWaterMarks, 'get' | 'ofObject'>;
  readonly states: SerialState;
}

type Found = Extract<CrlObject, { readonly found: 'yes' }>;

export type Look =
  | { readonly found: 'no'; readonly mark?: HighWater }
  /** Not modified since the mark was raised from it: nothing was read. */
  | { readonly found: 'unchanged'; readonly mark: HighWater }
  | { readonly found: 'foreign' }
  | { readonly found: 'refused'; readonly object: Found; readonly refusals: readonly CrlRefusal[] }
  | {
      readonly found: 'accepted';
      readonly object: Found;
      readonly crl: AcceptedCrl;
      readonly issuer: PinnedCa;
      readonly partition: string;
      readonly mark?: HighWater;
      /** Size of the state that it was compared with. */
      readonly handedOver: number;
    };

const COMPLETE = 'COMPLETE';
const MAX_READINGS = 3;

export async function look(ports: LookPorts, ref: CrlObjectRef, cas: readonly PinnedCa[], atMs: number, skewMs: number): Promise<Look> {
  const { crls, marks } = ports;
  const ofObject = await marks.ofObject(ref.bucket, ref.key);
  const object = await openCurrentIfGone(crls, ref, ofObject?.etag);
  if (object.found === 'no') return { found: 'no', mark: ofObject };
  if (object.found === 'unchanged') {
    if (ofObject === undefined) throw new Error(`s3://${ref.bucket}/${ref.key}: "not modified" to a request without a condition`);
    return { found: 'unchanged', mark: ofObject };
  }

  const speaking = speakingAt(ref.key, cas);
  if (speaking.length === 0) return { found: 'foreign' };
  let compared = ofObject;
  let body: Found = object;
  for (let reading = 1; reading <= MAX_READINGS; reading++) {
    const known = await handedOver(ports, compared);
    const crl = await readCrl(body.body, {
      issuers: speaking.map((ca) => ({ certificate: ca.certificate, acceptDistributionPoint: (uri) => publishesAs(uri, ref.key, ca) })),
      atMs,
      skewMs,
      known,
    });
    if (!crl.accepted) return refused(ref, object, crl.refusals);

    const issuer = speaking[crl.issuerIndex ?? -1]!; // present: issuers were given
    const partition = crl.facts.distributionPoint ?? COMPLETE;
    const mark = await marks.get(issuer.certificate.issuerKeyId, partition);
    // The comparison matters only for a CRL that goes beyond the mark.
    if (mark?.stateKey === compared?.stateKey || (mark !== undefined && crl.facts.crlNumber <= BigInt(mark.crlNumber))) {
      return { found: 'accepted', object, crl, issuer, partition, mark, handedOver: known?.size ?? 0 };
    }
    compared = mark;
    const again = await crls.open({ ...ref, versionId: object.versionId });
    if (again.found !== 'yes') return { found: 'no', mark };
    body = again;
  }
  throw new Error(`s3://${ref.bucket}/${ref.key}: the high-water mark moved ${MAX_READINGS} times while it was read`);
}

/** A source that is slow is trouble of ours and worth another try: it says nothing against the CRL. */
function refused(ref: CrlObjectRef, object: Found, refusals: readonly CrlRefusal[]): Look {
  if (refusals.some(({ code }) => code === 'took-too-long')) throw new Error(`s3://${ref.bucket}/${ref.key}: took too long to read`);
  return { found: 'refused', object, refusals };
}

/** The version that an event names may be gone by now; what counts then is the current one. */
async function openCurrentIfGone(crls: CrlStore, ref: CrlObjectRef, etag: string | undefined): Promise<CrlObject> {
  const object = await crls.open(ref, etag);
  return object.found === 'no' && ref.versionId !== undefined ? crls.open({ ...ref, versionId: undefined }, etag) : object;
}

/** Throws when it is not the very state that the mark names: it would send the list again, or lose part of it. */
async function handedOver({ states }: LookPorts, mark: HighWater | undefined): Promise<SerialSet | undefined> {
  if (mark === undefined) return undefined;
  return readSerialSet(states.load(mark.stateKey), mark.stateDigest);
}
