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
    readonly limit: number;
    readonly reason: string;
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
  const [devices, alarms, { holds, crls }] = await Promise.all([devicesOf(cloud), alarmsOf(cloud), ledgerOf(cloud)]);
  const { clock, journal } = cloud.world;
  const entries = withoutRepetitions(journal.entries().filter(({ kind, what }) => NEWS.has(kind) || MUTATIONS.test(what)));
  const calls = Object.fromEntries(
    [...journal.counts()]
      .filter(([what]) => /^(iot|iotdata|acm-pca):/.test(what))
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, 12),
  );
  return { time: clock.date().toISOString(), devices, holds, crls, alarms, journal: entries.slice(-JOURNAL_LINES).toReversed(), calls };
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

/** Held lists and high-water marks, where the application is deployed: an empty account has none. */
async function ledgerOf(cloud: Cloud): Promise<Pick<DeskState, 'holds' | 'crls'>> {
  const { Parameters = [] } = await cloud.call<{ Parameters?: { Value: string }[] }>('ssm', 'GetParameters', {
    Names: [applicationParameterName(DEFAULT_PREFIX, 'ledgerTable')],
  });
  const TableName = Parameters[0]?.Value;
  if (TableName === undefined) return { holds: [], crls: [] };
  const [held, marks] = await Promise.all([
    cloud.call<{ Items?: Item[] }>('dynamodb', 'Query', {
      TableName,
      KeyConditionExpression: 'pk = :hold',
      ExpressionAttributeValues: { ':hold': { S: 'HOLD' } },
    }),
    cloud.call<{ Items?: Item[] }>('dynamodb', 'Scan', { TableName, IndexName: 'byObject' }),
  ]);
  return {
    holds: (held.Items ?? []).map((item) => ({
      hash: item.hash?.S ?? item.sk?.S ?? '',
      state: item.state?.S ?? '',
      count: Number(item.count?.N),
      limit: Number(item.limit?.N),
      reason: item.reason?.S ?? '',
    })),
    crls: (marks.Items ?? []).map((item) => ({
      key: item.key?.S ?? '',
      number: item.crlNumber?.S ?? '',
      entries: Number(item.entries?.N),
      thisUpdate: item.thisUpdate?.S ?? '',
    })),
  };
}
