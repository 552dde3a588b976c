/**
 * The secondary indexes of the inventory table, for the construct that creates them and the adapter that asks them. All key attributes are
 * strings; all attributes are projected; all are eventually consistent, so they serve people and sweeps, never a decision about one certificate.
 */
export const INVENTORY_INDEXES = {
  /** What certificates has this thing? Only records with a thing are in it. */
  byThing: { partitionKey: 'thingName', sortKey: 'certificateId' },
  /** What runs out on this day (UTC)? `expiryDay` is `YYYY-MM-DD`, `notAfter` RFC 3339. */
  byExpiryDay: { partitionKey: 'expiryDay', sortKey: 'notAfter' },
  /** Which certificates are ACTIVE (INACTIVE …)? In 16 shards, `ACTIVE#0` to `ACTIVE#f`, by the first digit of the certificateId: one status of a million certificates would be one hot partition. */
  byStatus: { partitionKey: 'statusShard', sortKey: 'certificateId' },
} as const;
