/**
 * The rows of a rotation in the ledger. One row is the rotation; the others are ways to find it, and change with it in one transaction:
 *
 *     ROTATION#<oldCertificateId>        ROTATION                       the rotation
 *     ROTATION-NEW#<newCertificateId>    ROTATION                       whose new certificate this is
 *     CAMPAIGN#<campaignId>              <oldCertificateId>             member of the campaign
 *     DEADLINE                           <RFC 3339>#<oldCertificateId>  open rotations, by deadline
 *     RETIRE                             <RFC 3339>#<oldCertificateId>  proved rotations, by the end of the grace
 *     KEY#<sha256 of the SPKI>           KEY                            whose key this is
 */
import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { certificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import { OPEN_ROTATION_STATES, type RotationState } from '../../domain/protocol/rotation.js';
import type { Rotation } from '../ports/rotations.js';
import type { Item } from './ledger.js';

export type TransactItems = NonNullable<TransactWriteCommandInput['TransactItems']>;

/** `version` goes up by one with each write: the condition under which the next one may be written. */
export interface StoredRotation {
  readonly rotation: Rotation;
  readonly version: number;
}

const OPEN: ReadonlySet<RotationState> = new Set(OPEN_ROTATION_STATES);
export const isOpen = ({ state }: Rotation): boolean => OPEN.has(state);

/**
 * Is no other rotation to be opened for this certificate? A withdrawn one leaves the way free, but not before what it has brought about is
 * taken back: the new row would be the only trace of that certificate.
 */
export const stands = (rotation: Rotation): boolean =>
  rotation.state !== 'withdrawn' || (rotation.newCertificateArn !== undefined && rotation.settledAtMs === undefined);

export const rotationKey = (old: CertificateId) => ({ pk: `ROTATION#${old}`, sk: 'ROTATION' });
export const aliasKey = (fresh: CertificateId) => ({ pk: `ROTATION-NEW#${fresh}`, sk: 'ROTATION' });
export const publicKeyKey = (keyId: string) => ({ pk: `KEY#${keyId}`, sk: 'KEY' });
export const LISTS = { deadline: 'DEADLINE', retire: 'RETIRE' } as const;

export function rotationFrom(item: Item): StoredRotation {
  const { pk: _pk, sk: _sk, version, ...rotation } = item;
  return { rotation: rotation as unknown as Rotation, version: Number(version) };
}

export const oldCertificateOf = (item: Item): CertificateId => certificateId(String(item['oldCertificateId']));

/** On which sorted list a rotation stands: by its deadline while it is open, by the end of its grace once it is proved. */
function listRow(rotation: Rotation | undefined): { readonly pk: string; readonly sk: string } | undefined {
  if (rotation === undefined) return undefined;
  const row = (pk: string, atMs: number) => ({ pk, sk: `${new Date(atMs).toISOString()}#${rotation.oldCertificateId}` });
  if (isOpen(rotation)) return row(LISTS.deadline, rotation.deadlineMs);
  return rotation.state === 'proved' && rotation.retireAtMs !== undefined ? row(LISTS.retire, rotation.retireAtMs) : undefined;
}

/** All writes that bring the rows of one rotation from `before` (`undefined`: none yet) to `after`, on the condition that `before` still stands. */
export function rotationWrites(TableName: string, before: StoredRotation | undefined, after: Rotation): TransactItems {
  const { oldCertificateId } = after;
  const condition =
    before === undefined
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : { ConditionExpression: 'version = :version', ExpressionAttributeValues: { ':version': before.version } };
  const Item = { ...rotationKey(oldCertificateId), ...after, version: (before?.version ?? 0) + 1 };
  const writes: TransactItems = [{ Put: { TableName, Item, ...condition } }];
  const [was, is] = [listRow(before?.rotation), listRow(after)];
  if (was !== undefined && (was.pk !== is?.pk || was.sk !== is.sk)) writes.push({ Delete: { TableName, Key: was } });
  if (is !== undefined && (was?.pk !== is.pk || was.sk !== is.sk)) writes.push({ Put: { TableName, Item: { ...is, oldCertificateId } } });
  if (after.campaignId !== before?.rotation.campaignId)
    writes.push({ Put: { TableName, Item: { pk: `CAMPAIGN#${after.campaignId}`, sk: oldCertificateId, oldCertificateId } } });
  if (after.newCertificateId !== undefined && after.newCertificateId !== before?.rotation.newCertificateId)
    writes.push({ Put: { TableName, Item: { ...aliasKey(after.newCertificateId), oldCertificateId } } });
  return writes;
}
