/** What the page of the desk shows, read in process: the fleet, what was decided, what waits, what rings. */
import { applicationParameterName, DEFAULT_PREFIX } from '../../domain/protocol/application-parameters.js';
import type { Cloud, JournalEntry } from '../cloud.js';

export interface DeskState {
  /** RFC 3339, simulated. */
  readonly time: string;
  readonly devices: readonly { readonly name: string; readonly status: string; readonly connected: boolean }[];
  readonly holds: readonly {
    readonly hash: string;
    readonly state: string;
    readonly count: number;
    /** Of revocations: how many the brake would have let through. */
    readonly limit?: number;
    readonly of: 'revocations' | 'containments';
    readonly reason: string;
  }[];
  readonly contained: readonly {
    readonly thing: string;
    readonly state: string;
    readonly response: string;
    /** RFC 3339. */
    readonly since: string;
    readonly endsAt: string;
  }[];
  readonly crls: readonly { readonly key: string; readonly number: string; readonly entries: number; readonly thisUpdate: string }[];
  readonly alarms: readonly { readonly name: string; readonly reason: string }[];
  readonly journal: readonly JournalEntry[];
  readonly calls: Readonly<Record<string, number>>;
}

const JOURNAL_LINES = 60;
/** Reads of the page itself are no news; the requests of the functions are. */
const NEWS: ReadonlySet<JournalEntry['kind']> = new Set(['connection', 'alarm', 'crl', 'denied', 'fault', 'function']);
const MUTATIONS = /^(iot:UpdateCertificate|iotdata:DeleteConnection|acm-pca:RevokeCertificate|s3:PutObject)$/;

export async function deskState(cloud: Cloud): Promise<DeskState> {
  const [devices, alarms, { holds, crls, contained }] = await Promise.all([devicesOf(cloud), alarmsOf(cloud), ledgerOf(cloud)]);
  const { clock, journal } = cloud.world;
  const entries = withoutRepetitions(journal.entries().filter(({ kind, what }) => NEWS.has(kind) || MUTATIONS.test(what)));
  const calls = Object.fromEntries(
    [...journal.counts()]
      .filter(([what]) => /^(iot|iotdata|acm-pca):/.test(what))
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, 12),
  );
  return {
    time: clock.date().toISOString(),
    devices,
    holds,
    contained,
    crls,
    alarms,
    journal: entries.slice(-JOURNAL_LINES).toReversed(),
    calls,
  };
}

/** A device that is refused tries again and again, as devices do: the first refusal is news. */
function withoutRepetitions(entries: readonly JournalEntry[]): JournalEntry[] {
  const last = new Map<string, string>();
  return entries.filter(({ kind, who, what }) => {
    if (kind !== 'connection') return true;
    const isNew = last.get(who) !== what;
    last.set(who, what);
    return isNew;
  });
}

async function devicesOf(cloud: Cloud): Promise<DeskState['devices']> {
  const connected = new Set(cloud.parts.gateway?.connections().map(({ certificateId }) => certificateId));
  const devices: DeskState['devices'][number][] = [];
  let marker: string | undefined;
  do {
    const page: { certificates?: { certificateId: string; status: string }[]; nextMarker?: string } = await cloud.call(
      'iot',
      'ListCertificates',
      {
        pageSize: 250,
        ascendingOrder: true,
        ...(marker === undefined ? {} : { marker }),
      },
    );
    for (const { certificateId, status } of page.certificates ?? []) {
      const name = cloud.parts.registry?.thingsOf(certificateId)[0]?.thingName ?? certificateId.slice(0, 12);
      devices.push({ name, status, connected: connected.has(certificateId) });
    }
    marker = page.nextMarker;
  } while (marker !== undefined);
  return devices.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function alarmsOf(cloud: Cloud): Promise<DeskState['alarms']> {
  const { MetricAlarms = [] } = await cloud.call<{ MetricAlarms?: { AlarmName: string; StateReason?: string }[] }>(
    'cloudwatch',
    'DescribeAlarms',
    { StateValue: 'ALARM' },
  );
  return MetricAlarms.map(({ AlarmName, StateReason }) => ({ name: AlarmName, reason: StateReason ?? '' }));
}

type Item = Readonly<Record<string, { readonly S?: string; readonly N?: string }>>;

/** Held lists, contained things and high-water marks, where the application is deployed: an empty account has none. */
async function ledgerOf(cloud: Cloud): Promise<Pick<DeskState, 'holds' | 'contained' | 'crls'>> {
  const { Parameters = [] } = await cloud.call<{ Parameters?: { Value: string }[] }>('ssm', 'GetParameters', {
    Names: [applicationParameterName(DEFAULT_PREFIX, 'ledgerTable')],
  });
  const TableName = Parameters[0]?.Value;
  if (TableName === undefined) return { holds: [], contained: [], crls: [] };
  const below = async (pk: string): Promise<readonly Item[]> => {
    const query = { TableName, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: pk } } };
    return (await cloud.call<{ Items?: Item[] }>('dynamodb', 'Query', query)).Items ?? [];
  };
  const [revocations, containments, things, marks] = await Promise.all([
    below('HOLD'),
    below('HOLD-CONTAIN'),
    below('CONTAINED'),
    cloud.call<{ Items?: Item[] }>('dynamodb', 'Scan', { TableName, IndexName: 'byObject' }),
  ]);
  const rows = await Promise.all(
    things.map(async ({ sk }) => (await below(`CONTAINED#${sk?.S}`)).filter((row) => row.sk?.S === 'CONTAINED')),
  );
  return {
    holds: [...revocations.map((item) => holdOf(item, 'revocations')), ...containments.map((item) => holdOf(item, 'containments'))],
    contained: rows.flat().map((item) => ({
      thing: item.thingName?.S ?? '',
      state: item.state?.S ?? '',
      response: item.response?.S ?? '',
      since: timeOf(item.startedAtMs),
      endsAt: timeOf(item.endsAtMs),
    })),
    crls: (marks.Items ?? []).map((item) => ({
      key: item.key?.S ?? '',
      number: item.crlNumber?.S ?? '',
      entries: Number(item.entries?.N),
      thisUpdate: item.thisUpdate?.S ?? '',
    })),
  };
}

const holdOf = (item: Item, of: 'revocations' | 'containments'): DeskState['holds'][number] => ({
  hash: item.hash?.S ?? item.sk?.S ?? '',
  state: item.state?.S ?? '',
  count: Number(item.count?.N),
  ...(item.limit?.N === undefined ? {} : { limit: Number(item.limit.N) }),
  of,
  reason: item.reason?.S ?? '',
});

const timeOf = (value: Item[string] | undefined): string => (value?.N === undefined ? '' : new Date(Number(value.N)).toISOString());
