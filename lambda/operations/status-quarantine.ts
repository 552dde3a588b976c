/** What `status` says of quarantine, where it is on: what is contained and for how long still, and which lists wait for a person. */
import type { HoldState } from '../../domain/protocol/revocation.js';
import type { Application } from './application.js';
import { secondsLeft, STATE_COLOUR, stateOf } from './containments.js';
import { bad, doubtful, duration, good, table, time } from './words.js';

/** So many are named on the screen; `--json`, and `fleetwarden contained`, have all. */
const SHOWN = 10;

export type QuarantineStatus = NonNullable<Awaited<ReturnType<typeof quarantineStatus>>>;

export async function quarantineStatus({ parameters, containments, containmentHolds, clock }: Application) {
  const { quarantineMode: mode } = parameters;
  if (mode === undefined) return undefined;
  const nowMs = clock.nowMs();
  const contained = [];
  for await (const containment of containments.all()) {
    const { thingName, state, response, startedAtMs } = containment;
    const left = secondsLeft(containment, nowMs);
    contained.push({ thingName, state, says: stateOf(containment), response, since: time(startedAtMs), secondsLeft: left });
  }
  contained.sort((one, other) => one.secondsLeft - other.secondsLeft || one.thingName.localeCompare(other.thingName));
  const holds: Record<HoldState, number> = { HELD: 0, APPROVED: 0, APPLIED: 0, REJECTED: 0 };
  for await (const { state } of containmentHolds.all()) holds[state] += 1;
  return { mode, contained, holds };
}

export function quarantineLines({ mode, contained, holds }: QuarantineStatus): readonly (readonly [string, string])[] {
  return [
    ['quarantine', mode === 'enforce' ? good(mode) : doubtful(mode)],
    ['  contained', contained.length === 0 ? good('nothing') : bad(`${contained.length}: fleetwarden contained`)],
    ['  held lists', holds.HELD > 0 ? bad(`${holds.HELD} wait for a decision: fleetwarden holds`) : good('none wait')],
  ];
}

/** Those whose time box ends first. */
export function containedTable({ contained }: QuarantineStatus): readonly string[] {
  if (contained.length === 0) return [];
  const rows = contained
    .slice(0, SHOWN)
    .map(({ thingName, state, says, response, since, secondsLeft: left }) => [
      thingName,
      STATE_COLOUR[state](says),
      response,
      since,
      left === 0 ? bad('over') : duration(left * 1000),
    ]);
  return ['', table(['contained', 'state', 'response', 'since', 'time left'], rows)];
}
