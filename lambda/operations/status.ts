import { brakeLimit } from '../../domain/fleet/brake-limit.js';
import { Certificate } from '../../domain/pki/certificate.js';
import { WORK_QUEUES } from '../../domain/protocol/application-parameters.js';
import type { HoldState } from '../../domain/protocol/revocation.js';
import type { HighWater } from '../ports/high-water.js';
import type { InventoryStatus } from '../ports/inventory.js';
import type { ReconcileCheckpoint } from '../ports/reconciliation.js';
import type { Answer } from './answer.js';
import type { Application } from './application.js';
import { auditLines, auditStatus, type AuditStatus } from './status-audit.js';
import { behaviourLines, behaviourStatus, type BehaviourStatus } from './status-behaviour.js';
import { containedTable, quarantineLines, quarantineStatus, type QuarantineStatus } from './status-quarantine.js';
import { signerLines, signerStatus, type SignerStatus } from './status-signer.js';
import { bad, doubtful, duration, facts, good, table, time, timeAndAge, title } from './words.js';

const STATUSES: readonly InventoryStatus[] = [
  'ACTIVE',
  'INACTIVE',
  'REVOKED',
  'PENDING_ACTIVATION',
  'PENDING_TRANSFER',
  'REGISTER_INACTIVE',
  'NOT_REGISTERED',
  'DELETED',
];

interface CrlLine extends Pick<
  HighWater,
  'partition' | 'crlNumber' | 'thisUpdate' | 'nextUpdate' | 'entries' | 'bucket' | 'key' | 'issuerKeyId'
> {
  /** `undefined`: none of the trust anchors has this key any more. */
  readonly anchorId?: string;
  readonly appliedAt: string;
  readonly ageSeconds: number;
  readonly expired: boolean;
}

async function crlLines({ marks, anchors, clock }: Application): Promise<readonly CrlLine[]> {
  const anchorOf = new Map(
    (await anchors.all()).map(({ anchorId, certificatePem }) => [Certificate.read(certificatePem).issuerKeyId, anchorId]),
  );
  const nowMs = clock.nowMs();
  const lines: CrlLine[] = [];
  for await (const { partition, crlNumber, thisUpdate, nextUpdate, entries, bucket, key, issuerKeyId, appliedAtMs } of marks.all()) {
    lines.push({
      anchorId: anchorOf.get(issuerKeyId),
      partition,
      crlNumber,
      thisUpdate,
      nextUpdate,
      entries,
      bucket,
      key,
      issuerKeyId,
      appliedAt: time(appliedAtMs),
      ageSeconds: Math.max(0, Math.floor((nowMs - Date.parse(thisUpdate)) / 1000)),
      expired: Date.parse(nextUpdate) < nowMs,
    });
  }
  return lines;
}

async function holdCounts({ holds }: Application): Promise<Readonly<Record<HoldState, number>>> {
  const counts: Record<HoldState, number> = { HELD: 0, APPROVED: 0, APPLIED: 0, REJECTED: 0 };
  for await (const { state } of holds.all()) counts[state] += 1;
  return counts;
}

async function queueLines(application: Application) {
  const { parameters, depth } = application;
  const there = Object.entries(WORK_QUEUES).flatMap(([name, { queue, deadLetters }]) => {
    const [queueUrl, deadUrl] = [parameters[queue], parameters[deadLetters]];
    return queueUrl === undefined || deadUrl === undefined ? [] : [{ name, queueUrl, deadUrl }]; // absent: its capability is off
  });
  return Promise.all(
    there.map(async ({ name, queueUrl, deadUrl }) => ({ name, ...(await depth(queueUrl)), deadLetters: (await depth(deadUrl)).waiting })),
  );
}

async function countsByStatus({ inventory }: Application): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const status of STATUSES) {
    let count = 0;
    for await (const _ of inventory.byStatus(status)) count += 1;
    counts[status] = count;
  }
  return counts;
}

const runOf = (checkpoint: ReconcileCheckpoint) => ({
  runId: checkpoint.runId,
  phase: checkpoint.phase.name,
  startedAt: time(checkpoint.startedAtMs),
  updatedAt: time(checkpoint.updatedAtMs),
  tally: checkpoint.tally,
  examples: checkpoint.examples,
});

/** The whole installation on one screen. `count`: counts the inventory by status, which reads all of it. */
export async function status(application: Application, options: { readonly count: boolean }): Promise<Answer> {
  const { parameters, inventory, reconciliation } = application;
  const [stop, crls, holds, queues, active, running, lastReport, signers, audit, behaviour, quarantine] = await Promise.all([
    application.stop.state(),
    crlLines(application),
    holdCounts(application),
    queueLines(application),
    inventory.activeCount(),
    reconciliation.checkpoint(),
    reconciliation.lastReport(),
    signerStatus(application),
    auditStatus(application),
    behaviourStatus(application),
    quarantineStatus(application),
  ]);
  const brake = { floor: Number(parameters.brakeFloor), share: Number(parameters.brakeShare) };
  const found = {
    prefix: application.prefix,
    region: application.region,
    mode: parameters.mode,
    stop: { stopped: stop.stopped, by: stop.by, reason: stop.reason, at: stop.atMs === undefined ? undefined : time(stop.atMs) },
    brake: { ...brake, windowMinutes: Number(parameters.brakeWindowMinutes), limit: brakeLimit(active, brake) },
    crls,
    inventory: {
      /** Absent until the first complete reconciliation. */
      active,
      byStatus: options.count ? await countsByStatus(application) : undefined,
      reconciliation: running && runOf(running),
      lastReport: lastReport && runOf(lastReport),
    },
    holds,
    /** Each only where it is on. */
    rotation: parameters.rotationMode === undefined ? undefined : { mode: parameters.rotationMode },
    signers,
    audit,
    behaviour,
    quarantine,
    queues,
  };
  return { json: found, text: () => screen(found, application.clock.nowMs()) };
}

type Found = {
  readonly prefix: string;
  readonly region: string;
  readonly mode: string;
  readonly stop: { readonly stopped: boolean; readonly by?: string; readonly reason?: string; readonly at?: string };
  readonly brake: { readonly limit: number; readonly windowMinutes: number };
  readonly crls: readonly CrlLine[];
  readonly inventory: {
    readonly active?: number;
    readonly byStatus?: Readonly<Record<string, number>>;
    readonly reconciliation?: ReturnType<typeof runOf>;
    readonly lastReport?: ReturnType<typeof runOf>;
  };
  readonly holds: Readonly<Record<HoldState, number>>;
  readonly rotation: { readonly mode: string } | undefined;
  readonly signers: SignerStatus | undefined;
  readonly audit: AuditStatus | undefined;
  readonly behaviour: BehaviourStatus | undefined;
  readonly quarantine: QuarantineStatus | undefined;
  readonly queues: Awaited<ReturnType<typeof queueLines>>;
};

const MODE_COLOUR: Readonly<Record<string, (text: string) => string>> = { enforce: good, observe: doubtful, off: bad };
const inColour = (mode: string): string => (MODE_COLOUR[mode] ?? String)(mode);

function screen(found: Found, nowMs: number): string {
  const { stop, brake, holds, inventory, rotation, signers, audit, behaviour, quarantine } = found;
  return [
    facts([
      ['installation', `${title(found.prefix)} in ${found.region}`],
      ['mode', inColour(found.mode)],
      ['emergency stop', stop.stopped ? bad(`SET by ${stop.by} at ${stop.at}: ${stop.reason}`) : good('not set')],
      ['brake', `${brake.limit} revocations in ${brake.windowMinutes} minutes`],
      ['held lists', holds.HELD > 0 ? bad(`${holds.HELD} wait for a decision: fleetwarden holds`) : good('none wait')],
      ['ACTIVE certificates', inventory.active === undefined ? doubtful('never counted: fleetwarden reconcile') : String(inventory.active)],
      ...Object.entries(inventory.byStatus ?? {}).map(([name, count]) => [`  ${name}`, String(count)] as const),
      ['reconciliation', reconciliationLine(inventory, nowMs)],
      ...orphanLines(inventory.lastReport),
      ...(rotation === undefined ? [] : [['rotation', inColour(rotation.mode)] as const]),
      ...(signers === undefined ? [] : signerLines(signers)),
      ...(audit === undefined ? [] : auditLines(audit, nowMs)),
      ...(behaviour === undefined ? [] : behaviourLines(behaviour)),
      ...(quarantine === undefined ? [] : quarantineLines(quarantine)),
    ]),
    ...(quarantine === undefined ? [] : containedTable(quarantine)),
    '',
    found.crls.length === 0
      ? doubtful('No CRL has been applied yet.')
      : table(['trust anchor', 'partition', 'number', 'entries', 'age', 'nextUpdate'], found.crls.map(crlRow)),
    '',
    table(
      ['queue', 'waiting', 'in flight', 'delayed', 'dead letters'],
      found.queues.map(({ name, waiting, inFlight, delayed, deadLetters }) => [
        name,
        String(waiting),
        String(inFlight),
        String(delayed),
        deadLetters > 0 ? bad(String(deadLetters)) : '0',
      ]),
    ),
  ].join('\n');
}

function crlRow({ anchorId, partition, crlNumber, entries, ageSeconds, nextUpdate, expired }: CrlLine): readonly string[] {
  const due = expired ? bad(`${nextUpdate} EXPIRED`) : nextUpdate;
  return [anchorId ?? bad('no trust anchor'), partition, crlNumber, String(entries), duration(ageSeconds * 1000), due];
}

function reconciliationLine({ reconciliation, lastReport }: Found['inventory'], nowMs: number): string {
  const last = lastReport === undefined ? 'never complete' : `last complete ${timeAndAge(Date.parse(lastReport.updatedAt), nowMs)}`;
  if (reconciliation === undefined || reconciliation.phase === 'done') return last;
  return `${last}; under way since ${reconciliation.startedAt}: ${reconciliation.tally.listed} listed`;
}

function orphanLines(report: Found['inventory']['lastReport']): readonly (readonly [string, string])[] {
  if (report === undefined) return [];
  const { withoutThing, sharedThing, unknownIssuer, unreadable, heldBack } = report.tally;
  const lines: readonly (readonly [string, number])[] = [
    ['  ACTIVE without a thing', withoutThing],
    ['  sharing a thing', sharedThing],
    ['  of an unknown issuer', unknownIssuer],
    ['  unreadable', unreadable],
    ['  kept back by the brake', heldBack],
  ];
  return lines.filter(([, count]) => count > 0).map(([name, count]) => [name, doubtful(String(count))]);
}
