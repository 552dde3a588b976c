/**
 * Keeps a list for a person: first the octets, then the row that points at them. A storm comes in several batches; while nobody has decided, the list
 * grows: a longer one, under its own hash, takes the place of the one before, so that there is one list to read. A list that was looked at by a person
 * a while ago is left as it is.
 */
import { readHeldContainments, writeHeldContainments } from '../../../domain/fleet/held-containments.js';
import { heldListHash } from '../../../domain/fleet/held-list.js';
import { wholeOf } from '../../../domain/fleet/octets.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import type { Reason } from '../../../domain/fleet/reasons.js';
import { isStronger, RESPONSES, type Response } from '../../../domain/fleet/responses.js';
import { thingName } from '../../../domain/fleet/thing-name.js';
import type { WorkflowInput } from '../../../domain/protocol/containment-workflow.js';
import type { ContainmentHold } from '../../ports/containment-work.js';
import { note } from '../evidence.js';
import { allInTurns } from '../in-turns.js';
import { BY, type Candidate, type IntakePorts } from './ports.js';

/** So long a list grows. */
const GATHERING_MS = 10 * 60_000;
/** What a person rejected within this is not held again for the same trigger. */
const REJECTED_FOR_MS = 7 * 86_400_000;
const NOTES_AT_ONCE = 20;

const rank = ({ response }: WorkflowInput): number => RESPONSES.indexOf(response);

export async function hold(ports: IntakePorts, candidates: readonly Candidate[], reason: Reason, limit: string): Promise<void> {
  const { clock, holds, lists, decisions, signals } = ports;
  const nowMs = clock.nowMs();
  const { growing, known } = await earlier(ports, nowMs);
  const onLists = growing.flatMap(({ entries }) => entries);
  const listedFor = new Map<string, Response>();
  for (const { thingName: name, response } of onLists)
    if (isStronger(response, listedFor.get(name) ?? 'observe')) listedFor.set(name, response);
  const isListed = ({ thingName: name, response }: WorkflowInput): boolean => !isStronger(response, listedFor.get(name) ?? 'observe');
  const fresh = candidates.map(({ input }) => input).filter((input) => !known.has(input.containmentId) && !isListed(input));
  if (fresh.length === 0) return signals.info('held or rejected before', { count: candidates.length, reason });
  // A thing stands on a list once, for the most that is asked for it.
  const list = writeHeldContainments([...onLists, ...fresh].sort((one, other) => rank(other) - rank(one)));
  const listKey = `holds/${list.hash}.json`;
  await lists.save(listKey, [list.octets]);
  const createdAtMs = Math.min(nowMs, ...growing.map(({ row }) => row.createdAtMs));
  await holds.put({ hash: list.hash, kind: 'contain', state: 'HELD', count: list.count, reason, listKey, createdAtMs });
  const entry = { subject: `HOLD#${list.hash}`, step: 'outcome', act: 'hold-list', reason, runId: list.hash, by: BY, atMs: nowMs } as const;
  await decisions.append({ ...entry, detail: { kind: 'contain', count: list.count, limit } });
  // After the longer one is there: a crash leaves two lists that overlap, which is no harm.
  for (const { row } of growing) if (row.hash !== list.hash) await holds.move(row.hash, 'HELD', 'REJECTED', BY, nowMs);
  await allInTurns(NOTES_AT_ONCE, fresh, ({ thingName: name, containmentId }) =>
    note(ports, { thingName: thingName(name), containmentId, by: BY }, 'outcome', 'hold', reason, { hash: list.hash, limit }),
  );
  signals.count(METRICS.containmentsHeld, fresh.length);
  signals.warn('containments held until a person decides', { hash: list.hash, count: list.count, reason, limit });
}

/** Lists that still grow, and what is on any list already, or was rejected by a person. */
async function earlier(
  { holds, lists }: IntakePorts,
  nowMs: number,
): Promise<{
  readonly growing: readonly { readonly row: ContainmentHold; readonly entries: readonly WorkflowInput[] }[];
  readonly known: ReadonlySet<string>;
}> {
  const growing: { row: ContainmentHold; entries: readonly WorkflowInput[] }[] = [];
  const known = new Set<string>();
  for await (const row of holds.all()) {
    const ageMs = nowMs - row.createdAtMs;
    const isRejected = row.state === 'REJECTED' && row.decidedBy !== BY && ageMs < REJECTED_FOR_MS;
    if (row.state !== 'HELD' && row.state !== 'APPROVED' && !isRejected) continue;
    const octets = await wholeOf(lists.load(row.listKey));
    // Altered by somebody: it is never carried out, and nothing is taken from it.
    if (heldListHash(octets) !== row.hash) continue;
    const entries = readHeldContainments(octets);
    for (const { containmentId } of entries) known.add(containmentId);
    if (row.state === 'HELD' && ageMs < GATHERING_MS) growing.push({ row, entries });
  }
  return { growing, known };
}
