import { heldListHash, readHeldList, type HeldEntry } from '../../domain/fleet/held-list.js';
import { wholeOf } from '../../domain/fleet/octets.js';
import type { Hold } from '../ports/holds.js';
import { Misused, Refused, type Answer } from './answer.js';
import type { Application } from './application.js';
import { bad, doubtful, facts, good, quiet, table, time, title } from './words.js';

const MIN_PREFIX = 8;

/** The one hold that a full hash, or a unique prefix of at least eight digits, names. */
export async function findHold({ holds }: Application, given: string): Promise<Hold> {
  const prefix = given.toLowerCase();
  if (!/^[0-9a-f]{8,64}$/.test(prefix)) {
    throw new Misused(`hash: got "${given}", expected the hash of a held list, or at least ${MIN_PREFIX} digits of its beginning`);
  }
  const matching: Hold[] = [];
  for await (const hold of holds.all()) if (hold.hash.startsWith(prefix)) matching.push(hold);
  const [only, second] = matching;
  if (only === undefined) throw new Refused(`no list is held under ${given}: see fleetwarden holds`);
  if (second !== undefined)
    throw new Refused(`${given} is the beginning of ${matching.length} lists: ${matching.map(({ hash }) => hash).join(', ')}`);
  return only;
}

/** The list itself, if it still is the one whose hash was taken. */
export async function loadList({ lists }: Application, hold: Hold): Promise<Iterable<HeldEntry>> {
  const octets = await wholeOf(lists.load(hold.listKey));
  const hash = heldListHash(octets);
  if (hash !== hold.hash)
    throw new Refused(`the stored list ${hold.listKey} has hash ${hash}, expected ${hold.hash}: somebody has altered it`);
  return readHeldList(octets).entries;
}

const holdJson = ({ createdAtMs, decidedAtMs, ...hold }: Hold) => ({
  ...hold,
  createdAt: time(createdAtMs),
  decidedAt: decidedAtMs === undefined ? undefined : time(decidedAtMs),
});

const STATE_COLOUR = { HELD: bad, APPROVED: doubtful, APPLIED: good, REJECTED: quiet } as const;

/** Every held list; what waits for a decision first, then the newest. */
export async function listHolds({ holds }: Application): Promise<Answer> {
  const all: Hold[] = [];
  for await (const hold of holds.all()) all.push(hold);
  all.sort((one, other) => Number(other.state === 'HELD') - Number(one.state === 'HELD') || other.createdAtMs - one.createdAtMs);
  return {
    json: { holds: all.map(holdJson) },
    text: () =>
      all.length === 0
        ? good('No list is held.')
        : table(
            ['hash', 'state', 'kind', 'trust anchor', 'CRL number', 'count', 'limit', 'since', 'decided by'],
            all.map((hold) => [
              hold.hash.slice(0, 16),
              STATE_COLOUR[hold.state](hold.state),
              hold.kind,
              hold.anchorId,
              hold.crlNumber,
              String(hold.count),
              String(hold.limit),
              time(hold.createdAtMs),
              hold.decidedBy ?? '',
            ]),
          ),
  };
}

export function holdFacts(hold: Hold): string {
  return facts([
    ['hash', title(hold.hash)],
    ['state', STATE_COLOUR[hold.state](hold.state)],
    ['asks to', hold.kind === 'revoke' ? 'put these certificates out of the fleet' : 'make these certificates ACTIVE again'],
    ['trust anchor', hold.anchorId],
    ['CRL number', `${hold.crlNumber} (${hold.partition})`],
    ['certificates', `${hold.count}, limit ${hold.limit}`],
    ['why held', hold.reason],
    ['since', time(hold.createdAtMs)],
    ...(hold.decidedBy === undefined ? [] : [['decided by', `${hold.decidedBy} at ${time(hold.decidedAtMs ?? 0)}`] as const]),
  ]);
}

/** One held list, whole. */
export async function showHold(application: Application, given: string): Promise<Answer> {
  const hold = await findHold(application, given);
  const entries = [...(await loadList(application, hold))];
  return {
    json: { ...holdJson(hold), entries },
    text: () =>
      [
        holdFacts(hold),
        '',
        ...entries.map(({ serialNumber, reason, revocationDate }) => `${serialNumber}  ${revocationDate}  ${reason}`),
      ].join('\n'),
  };
}
