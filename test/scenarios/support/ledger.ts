/** What the application has written down: the audit trail, held lists, the inventory. Read as an auditor would, item by item. */
import type { Desk } from '../../../local/desk.js';

type Attribute = { readonly S?: string; readonly N?: string; readonly M?: Readonly<Record<string, Attribute>> };
type Item = Readonly<Record<string, Attribute>>;

export interface Row {
  readonly subject: string;
  readonly step: string;
  readonly act: string;
  readonly reason: string;
  readonly by: string;
  /** Outcome of the step, where it says one. */
  readonly outcome?: string;
  readonly refusals?: string;
}

export interface HeldList {
  readonly hash: string;
  readonly state: string;
  readonly kind: string;
  readonly count: number;
}

export class Ledger {
  private readonly seen = new Set<string>();

  constructor(
    private readonly desk: Desk,
    readonly tables: { readonly inventory: string; readonly ledger: string },
  ) {}

  /** Rows of the audit trail that no earlier call has answered, oldest first. */
  async news(): Promise<Row[]> {
    const items = (await this.scan(this.tables.ledger)).filter(({ act, sk }) => act !== undefined && !this.seen.has(sk!.S!));
    for (const { sk } of items) this.seen.add(sk!.S!);
    return items.toSorted((a, b) => (a['sk']!.S! < b['sk']!.S! ? -1 : 1)).map(rowOf);
  }

  /** `act/outcome: reason refusals` of the news, without the intents. */
  async outcomes(): Promise<string[]> {
    return (await this.news())
      .filter(({ step }) => step === 'outcome')
      .map(({ act, outcome, reason, refusals }) =>
        [`${act}${outcome === undefined ? '' : `/${outcome}`}: ${reason}`, refusals].filter(Boolean).join(' '),
      );
  }

  async holds(): Promise<HeldList[]> {
    return (await this.scan(this.tables.ledger))
      .filter(({ pk }) => pk?.S === 'HOLD')
      .map(({ hash, state, kind, count }) => ({ hash: hash!.S!, state: state!.S!, kind: kind!.S!, count: Number(count!.N) }));
  }

  /** Status of a certificate in the inventory. */
  async statusOf(certificateId: string): Promise<string | undefined> {
    return (await this.get(`CERT#${certificateId}`, 'CERT'))?.['status']?.S;
  }

  /** What is remembered of revocations: serial number → `state/outcome`. */
  async revocations(): Promise<Record<string, string>> {
    const rows = (await this.scan(this.tables.inventory)).filter(({ sk }) => sk?.S === 'REVOCATION');
    return Object.fromEntries(
      rows.map(({ serialNumber, state, outcome }) => [serialNumber!.S!, [state!.S, outcome?.S].filter(Boolean).join('/')]),
    );
  }

  /** Number of the highest CRL applied from the object at this key. */
  async mark(key: string): Promise<string | undefined> {
    return (await this.scan(this.tables.ledger)).find(({ sk, key: at }) => sk?.S === 'HIGH_WATER' && at?.S === key)?.['crlNumber']?.S;
  }

  /** Takes a certificate out of the inventory, as if it had never been there. */
  async forget(certificateId: string): Promise<void> {
    const TableName = this.tables.inventory;
    for (const { pk, sk } of await this.scan(TableName)) {
      if (pk?.S !== `CERT#${certificateId}` && sk?.S !== `CERT#${certificateId}`) continue;
      await this.desk.cloud.call('dynamodb', 'DeleteItem', { TableName, Key: { pk, sk } });
    }
  }

  private async get(pk: string, sk: string): Promise<Item | undefined> {
    const input = { TableName: this.tables.inventory, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true };
    return (await this.desk.cloud.call<{ Item?: Item }>('dynamodb', 'GetItem', input)).Item;
  }

  private async scan(TableName: string): Promise<readonly Item[]> {
    const items: Item[] = [];
    for (let ExclusiveStartKey: Item | undefined; ;) {
      const page = await this.desk.cloud.call<{ Items?: Item[]; LastEvaluatedKey?: Item }>('dynamodb', 'Scan', {
        TableName,
        ConsistentRead: true,
        ...(ExclusiveStartKey ? { ExclusiveStartKey } : {}),
      });
      items.push(...(page.Items ?? []));
      ExclusiveStartKey = page.LastEvaluatedKey;
      if (!ExclusiveStartKey) return items;
    }
  }
}

const rowOf = ({ pk, step, act, reason, by, detail }: Item): Row => ({
  subject: pk!.S!,
  step: step!.S!,
  act: act!.S!,
  reason: reason!.S!,
  by: by!.S!,
  ...(detail?.M?.['outcome']?.S === undefined ? {} : { outcome: detail.M['outcome'].S }),
  ...(detail?.M?.['refusals']?.S ? { refusals: detail.M['refusals'].S } : {}),
});
