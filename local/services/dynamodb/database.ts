/** Every table of the account, found by name or ARN; and the desk's settings of the service. */
import { createHash, randomUUID } from 'node:crypto';

import { AwsError } from '../../models/service.js';
import type { World } from '../../cloud.js';
import type { KeySchema } from './keys.js';
import { Table } from './table.js';

/** What a table is beside its items. */
export interface TableSettings {
  billingMode: 'PAY_PER_REQUEST' | 'PROVISIONED';
  provisioned: { readonly ReadCapacityUnits: number; readonly WriteCapacityUnits: number };
  deletionProtection: boolean;
  tableClass: 'STANDARD' | 'STANDARD_INFREQUENT_ACCESS';
  sse?: { readonly SSEType: string; readonly KMSMasterKeyArn?: string };
  pointInTimeRecovery?: { readonly enabledAt: Date; readonly days: number };
  /** Attribute of Time to Live; absent: off. */
  ttlAttribute?: string;
  readonly tags: Map<string, string>;
}

export interface TableRecord {
  readonly table: Table;
  readonly settings: TableSettings;
}

/** AWS remembers a ClientRequestToken for ten minutes. */
const TOKEN_LIFETIME_MS = 10 * 60_000;

export class Database {
  readonly tables = new Map<string, TableRecord>();
  /** Lag of global secondary indexes behind their table, in ms of the desk's clock. */
  indexLagMs = 0;
  private readonly tokens = new Map<string, { readonly digest: string; readonly expiresAtMs: number }>();

  constructor(readonly world: World) {}

  arnOf(tableName: string): string {
    const { partition, region, accountId } = this.world;
    return `arn:${partition}:dynamodb:${region}:${accountId}:table/${tableName}`;
  }

  /** Requests name a table by its name or its ARN. */
  nameOf(nameOrArn: string): string {
    const prefix = this.arnOf('');
    return nameOrArn.startsWith(prefix) ? nameOrArn.slice(prefix.length) : nameOrArn;
  }

  create(name: string, schema: KeySchema, settings: TableSettings): TableRecord {
    const table = new Table({
      name,
      arn: this.arnOf(name),
      id: randomUUID(),
      schema,
      createdAt: this.world.clock.date(),
      indexLagMs: () => this.indexLagMs,
      nowMs: () => this.world.clock.nowMs(),
    });
    const record = { table, settings };
    this.tables.set(name, record);
    return record;
  }

  find(nameOrArn: string): TableRecord | undefined {
    return this.tables.get(this.nameOf(nameOrArn));
  }

  /** For operations on items. */
  table(nameOrArn: string): Table {
    const record = this.find(nameOrArn);
    if (!record) throw new AwsError('ResourceNotFoundException', 'Requested resource not found');
    return record.table;
  }

  /** For operations on tables: the message names the table. */
  record(nameOrArn: string): TableRecord {
    const record = this.find(nameOrArn);
    if (!record)
      throw new AwsError('ResourceNotFoundException', `Requested resource not found: Table: ${this.nameOf(nameOrArn)} not found`);
    return record;
  }

  /** `true`: this very request was carried out before, within ten minutes. The same token with another request is refused. */
  isRepeated(token: string, request: unknown): boolean {
    const known = this.tokens.get(token);
    if (!known || known.expiresAtMs <= this.world.clock.nowMs()) return false;
    if (known.digest === digestOf(request)) return true;
    throw new AwsError(
      'IdempotentParameterMismatchException',
      'Parameters in the request do not match the original request for this client token',
    );
  }

  remember(token: string, request: unknown): void {
    const nowMs = this.world.clock.nowMs();
    for (const [old, { expiresAtMs }] of this.tokens) {
      // Insertion order is order of expiry: the first that is still valid ends the search.
      if (expiresAtMs > nowMs) break;
      this.tokens.delete(old);
    }
    this.tokens.set(token, { digest: digestOf(request), expiresAtMs: nowMs + TOKEN_LIFETIME_MS });
  }
}

const digestOf = (request: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(request, (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value)))
    .digest('base64');
