/**
 * Time to Live: items whose attribute holds a time in the past, in epoch seconds, are deleted "within a few days"; until then every read
 * still shows them. Times more than five years back are taken for something else and left alone.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
 */
import { attributeOf } from './attribute-value.js';
import type { Database } from './database.js';
import type { StoredItem } from './table.js';

const SWEEP_MS = 6 * 3_600_000;
/** How long after its time an item is still there on the desk. */
const GRACE_S = 48 * 3_600;
const OLDEST_S = 5 * 365 * 86_400;

export function startTimeToLive(database: Database): void {
  database.world.clock.every(SWEEP_MS, () => deleteExpired(database));
}

export function deleteExpired(database: Database): void {
  const nowS = database.world.clock.nowMs() / 1000;
  for (const { table, settings } of database.tables.values()) {
    const { ttlAttribute } = settings;
    if (ttlAttribute === undefined) continue;
    const expired: StoredItem[] = [];
    for (const stored of table.entries.forward()) {
      const at = Number(attributeOf(stored.item, ttlAttribute)?.N ?? Number.NaN);
      if (at <= nowS - GRACE_S && at > nowS - OLDEST_S) expired.push(stored);
    }
    for (const stored of expired) table.delete(stored);
  }
}
