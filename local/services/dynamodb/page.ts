/** One page of a Query or Scan: what is read, up to 1 MB or Limit items, and where the next page starts. */
import type { AttributeValue, Item } from './attribute-value.js';
import { validation } from './errors.js';
import { itemSize } from './item-size.js';
import {
  checkKey,
  comparePositions,
  keyAttributes,
  keyOf,
  positionOf,
  positionOfPartition,
  segmentOf,
  sortable,
  type KeySchema,
  type Position,
} from './keys.js';
import type { KeyCondition, SortCondition } from './expressions/key-condition.js';
import { compareEntries, StoredItem, type Entry, type Index, type Table } from './table.js';

const LARGEST_PAGE = 1024 * 1024;

export interface PageRequest {
  readonly table: Table;
  readonly index?: Index;
  /** Absent: a Scan. */
  readonly keyCondition?: KeyCondition;
  readonly forward: boolean;
  readonly limit?: number;
  readonly startKey?: Item;
  readonly segment?: { readonly segment: number; readonly total: number };
  /** Whether the item is given back; called with the attributes that the table or index holds. */
  readonly accepts: (item: Item) => boolean;
}

export interface Page {
  readonly items: readonly Item[];
  readonly scanned: number;
  readonly bytes: number;
  /** Key of the last item that was read, where there may be more. */
  readonly lastKey?: Record<string, AttributeValue>;
}

export function readPage(request: PageRequest): Page {
  const { table, index, limit } = request;
  const projected = index?.projected();
  const items: Item[] = [];
  let scanned = 0;
  let bytes = 0;
  let last: Item | undefined;
  for (const { source } of candidates(request)) {
    const item = projected ? only(source.item, projected) : source.item;
    const size = projected ? itemSize(item) : source.size;
    if (scanned > 0 && bytes + size > LARGEST_PAGE)
      return { items, scanned, bytes, lastKey: keyOf(last as Item, ...schemas(table, index)) };
    scanned++;
    bytes += size;
    last = item;
    if (request.accepts(item)) items.push(item);
    // At the limit AWS gives a key even where nothing follows: it has not looked.
    if (scanned === limit) return { items, scanned, bytes, lastKey: keyOf(item, ...schemas(table, index)) };
  }
  return { items, scanned, bytes };
}

const schemas = (table: Table, index: Index | undefined): readonly KeySchema[] => (index ? [index.schema, table.schema] : [table.schema]);

function only(item: Item, names: ReadonlySet<string>): Item {
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.has(name)));
}

function candidates(request: PageRequest): Iterable<Entry> {
  const start = request.startKey && startEntry(request, request.startKey);
  return request.keyCondition ? inPartition(request, request.keyCondition, start) : inSegment(request, start);
}

/** The place of ExclusiveStartKey. The item itself may be gone by now: the page goes on from where it stood. */
function startEntry({ table, index }: PageRequest, key: Item): Entry {
  const names = new Set(schemas(table, index).flatMap((schema) => keyAttributes(schema).map((attribute) => attribute.name)));
  if (Object.keys(key).length !== names.size || !Object.keys(key).every((name) => names.has(name))) {
    throw validation('The provided starting key is invalid');
  }
  for (const schema of schemas(table, index)) {
    try {
      checkKey(Object.fromEntries(keyAttributes(schema).map(({ name }) => [name, key[name] as AttributeValue])), schema);
    } catch (error) {
      throw validation(`The provided starting key is invalid: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const source = new StoredItem(positionOf(key, table.schema), key, 0);
  return index ? { ...positionOf(key, index.schema), source } : source;
}

const entriesOf = ({ table, index }: PageRequest) => index?.entries ?? table.entries;

function* inSegment(request: PageRequest, start: Entry | undefined): Generator<Entry> {
  const { segment } = request;
  if (segment && start && segmentOf(start, segment.total) !== segment.segment) {
    throw validation(
      `The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: ${segment.total} Segment: ${segment.segment}`,
    );
  }
  const reached = (entry: Entry) =>
    start ? compareEntries(entry, start) > 0 : !segment || segmentOf(entry, segment.total) >= segment.segment;
  for (const entry of entriesOf(request).forward(reached)) {
    if (segment && segmentOf(entry, segment.total) > segment.segment) return;
    yield entry;
  }
}

function* inPartition(request: PageRequest, condition: KeyCondition, start: Entry | undefined): Generator<Entry> {
  const place = positionOfPartition(condition.partition);
  const range = sortRange(condition.sort);
  if (start && (start.partition !== place.partition || !within(range, start.sort))) {
    throw validation('The provided starting key is outside query boundaries based on provided conditions');
  }
  const low: Position = { ...place, sort: range.low };
  const beforeRange = (entry: Entry) => {
    const order = comparePositions(entry, low);
    return order < 0 || (order === 0 && range.lowOpen);
  };
  const afterRange = (entry: Entry) => {
    if (range.high === undefined) return entry.hash > place.hash || (entry.hash === place.hash && entry.partition > place.partition);
    const order = comparePositions(entry, { ...place, sort: range.high });
    return order > 0 || (order === 0 && range.highOpen);
  };
  const entries = entriesOf(request);
  if (request.forward) {
    for (const entry of entries.forward((e) => !beforeRange(e) && (!start || compareEntries(e, start) > 0))) {
      if (afterRange(entry)) return;
      yield entry;
    }
  } else {
    for (const entry of entries.backward((e) => afterRange(e) || (start !== undefined && compareEntries(e, start) >= 0))) {
      if (beforeRange(entry)) return;
      yield entry;
    }
  }
}

/** Bounds of sortable keys. `high` absent: to the end of the partition. */
interface SortRange {
  readonly low: string;
  readonly lowOpen: boolean;
  readonly high?: string;
  readonly highOpen: boolean;
}

function sortRange(condition: SortCondition | undefined): SortRange {
  if (!condition) return { low: '', lowOpen: false, highOpen: false };
  const key = sortable(condition.value);
  switch (condition.operator) {
    case '=':
      return { low: key, lowOpen: false, high: key, highOpen: false };
    case '<':
    case '<=':
      return { low: '', lowOpen: false, high: key, highOpen: condition.operator === '<' };
    case '>':
    case '>=':
      return { low: key, lowOpen: condition.operator === '>', highOpen: false };
    case 'between':
      return { low: key, lowOpen: false, high: sortable(condition.high), highOpen: false };
    case 'begins_with':
      // Sortable keys have no character above U+00FF, so this is above every key with the prefix.
      return { low: key, lowOpen: false, high: `${key}\u0100`, highOpen: true };
  }
}

function within(range: SortRange, sort: string): boolean {
  const aboveLow = range.lowOpen ? sort > range.low : sort >= range.low;
  return aboveLow && (range.high === undefined || (range.highOpen ? sort < range.high : sort <= range.high));
}
