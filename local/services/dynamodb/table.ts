/** A table's items and its global secondary indexes, in order. Stored items are never changed in place, so readers may hold them. */
import { SortedList } from '../sorted-list.js';
import { attributeOf, type Item } from './attribute-value.js';
import { validation } from './errors.js';
import { itemSize, LARGEST_ITEM } from './item-size.js';
import { checkIndexKey, comparePositions, keyAttributes, positionOf, type KeySchema, type Position } from './keys.js';

/** An item at its place in a table or an index. */
export interface Entry extends Position {
  readonly source: StoredItem;
}

/** An item, which is its own entry in its table. */
export class StoredItem implements Entry {
  readonly hash: number;
  readonly partition: string;
  readonly sort: string;

  constructor(
    position: Position,
    readonly item: Item,
    /** Bytes, as DynamoDB counts them. */
    readonly size: number,
  ) {
    this.hash = position.hash;
    this.partition = position.partition;
    this.sort = position.sort;
  }

  get source(): StoredItem {
    return this;
  }
}

export interface Projection {
  readonly ProjectionType: 'ALL' | 'KEYS_ONLY' | 'INCLUDE';
  readonly NonKeyAttributes?: readonly string[];
}

export interface TableOptions {
  readonly name: string;
  readonly arn: string;
  readonly id: string;
  readonly schema: KeySchema;
  readonly createdAt: Date;
  /** How long after a write an index shows it, in ms of the desk's clock. AWS: usually a fraction of a second. */
  readonly indexLagMs: () => number;
  readonly nowMs: () => number;
}

export class Table {
  readonly indexes = new Map<string, Index>();
  private readonly items = new SortedList<StoredItem, Position>(comparePositions);
  private readonly waiting: { readonly dueMs: number; readonly before?: StoredItem; readonly after?: StoredItem }[] = [];
  private size = 0;

  constructor(private readonly options: TableOptions) {}

  get name(): string {
    return this.options.name;
  }
  get arn(): string {
    return this.options.arn;
  }
  get id(): string {
    return this.options.id;
  }
  get schema(): KeySchema {
    return this.options.schema;
  }
  get createdAt(): Date {
    return this.options.createdAt;
  }
  get itemCount(): number {
    return this.items.size;
  }
  get bytes(): number {
    return this.size;
  }

  /** In the order of a Scan. */
  get entries(): SortedList<StoredItem, Position> {
    return this.items;
  }

  get(key: Item): StoredItem | undefined {
    return this.items.get(positionOf(key, this.schema));
  }

  /** What would be stored; refuses items over 400 KB and items that an index could not hold. */
  prepare(item: Item, tooLarge = 'Item size has exceeded the maximum allowed size'): StoredItem {
    const size = itemSize(item);
    if (size > LARGEST_ITEM) throw validation(tooLarge);
    for (const index of this.indexes.values()) checkIndexKey(item, index.schema, index.name);
    return new StoredItem(positionOf(item, this.schema), item, size);
  }

  put(stored: StoredItem): void {
    const before = this.items.put(stored);
    this.size += stored.size - (before?.size ?? 0);
    this.toIndexes(before, stored);
  }

  delete(stored: StoredItem): void {
    const before = this.items.delete(stored);
    if (!before) return;
    this.size -= before.size;
    this.toIndexes(before, undefined);
  }

  addIndex(name: string, schema: KeySchema, projection: Projection): void {
    const index = new Index(name, `${this.arn}/index/${name}`, schema, this.schema, projection);
    this.indexes.set(name, index);
    for (const entry of this.items.forward()) index.replace(undefined, entry);
  }

  /** The index as it is to be seen now: writes younger than the lag are not in it yet. */
  index(name: string): Index | undefined {
    const nowMs = this.options.nowMs();
    const due = this.waiting.findIndex((change) => change.dueMs > nowMs);
    for (const { before, after } of this.waiting.splice(0, due === -1 ? this.waiting.length : due)) this.applyToIndexes(before, after);
    return this.indexes.get(name);
  }

  private toIndexes(before: StoredItem | undefined, after: StoredItem | undefined): void {
    if (this.indexes.size === 0) return;
    const lagMs = this.options.indexLagMs();
    if (lagMs <= 0 && this.waiting.length === 0) this.applyToIndexes(before, after);
    // Changes stay in the order of the writes, also when the lag was shortened meanwhile.
    else {
      const dueMs = Math.max(this.options.nowMs() + lagMs, this.waiting.at(-1)?.dueMs ?? 0);
      this.waiting.push({ dueMs, ...(before ? { before } : {}), ...(after ? { after } : {}) });
    }
  }

  private applyToIndexes(before: StoredItem | undefined, after: StoredItem | undefined): void {
    for (const index of this.indexes.values()) index.replace(before, after);
  }
}

export const compareEntries = (a: Entry, b: Entry): number => comparePositions(a, b) || comparePositions(a.source, b.source);

export class Index {
  /** By the index's key; items with the same index key by their own. */
  readonly entries = new SortedList<Entry>(compareEntries);
  private size = 0;

  constructor(
    readonly name: string,
    readonly arn: string,
    readonly schema: KeySchema,
    private readonly tableSchema: KeySchema,
    readonly projection: Projection,
  ) {}

  /** Bytes of the whole items that are in the index. */
  get bytes(): number {
    return this.size;
  }

  replace(before: StoredItem | undefined, after: StoredItem | undefined): void {
    if (before && this.holds(before.item)) this.size -= this.entries.delete(this.entry(before))?.source.size ?? 0;
    if (!after || !this.holds(after.item)) return;
    this.entries.put(this.entry(after));
    this.size += after.size;
  }

  /** Names of the attributes that the index holds; undefined: all. */
  projected(): ReadonlySet<string> | undefined {
    if (this.projection.ProjectionType === 'ALL') return undefined;
    const keys = [...keyAttributes(this.tableSchema), ...keyAttributes(this.schema)].map((key) => key.name);
    return new Set([...keys, ...(this.projection.NonKeyAttributes ?? [])]);
  }

  /** Sparse: an item without the index's key is not in the index. */
  private holds(item: Item): boolean {
    return keyAttributes(this.schema).every((key) => attributeOf(item, key.name) !== undefined);
  }

  private entry(source: StoredItem): Entry {
    return { ...positionOf(source.item, this.schema), source };
  }
}
