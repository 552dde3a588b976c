/** The fleet as a newcomer sees it: a live table of the devices that a scene is about, and the sum of all others. */
import type { DeviceStatus } from '../fleet/fleet.js';
import type { LiveRow } from './screen.js';
import type { Member, Stage } from './stage.js';

const WORDS: Record<DeviceStatus['state'], string> = {
  connecting: 'connecting',
  connected: 'connected',
  cut: 'cut off',
  refused: 'refused',
};
const ROWS = 12;
// Widths: a terminal of 80 columns must hold the table, or redrawing it in place leaves rubble.

const stateOf = (stage: Stage, device: Member) => stage.fleet.states().get(device.thingName)?.state ?? 'connecting';

export const connected = (stage: Stage, device: Member): boolean => stateOf(stage, device) === 'connected';
/** It has tried to come back, and was not let in. */
export const refused = (stage: Stage, device: Member): boolean => stateOf(stage, device) === 'refused';

export function connectedCount(stage: Stage): number {
  let count = 0;
  for (const { state } of stage.fleet.states().values()) if (state === 'connected') count++;
  return count;
}

/** Takes `count` devices of one CA that no scene has used so far. */
export function take(stage: Stage, anchor: Member['anchor'], count: number): Member[] {
  const taken = stage.untouched.filter((device) => device.anchor === anchor).slice(0, count);
  if (taken.length < count) throw new Error(`${count} devices of the ${anchor} wanted, ${taken.length} left: start with more --devices`);
  for (const device of taken) stage.untouched.splice(stage.untouched.indexOf(device), 1);
  return taken;
}

/** Shows the devices while they change, until `condition` holds for all of them. `false` after `timeoutMs`. */
export async function watch(
  stage: Stage,
  devices: readonly Member[],
  condition: (stage: Stage, device: Member) => boolean,
  timeoutMs: number,
): Promise<boolean> {
  const draw = () => stage.screen.live(['thing', 'certificate', 'issued by', 'connection', 'since'], rows(stage, devices));
  const off = stage.fleet.on('change', draw);
  draw();
  try {
    await stage.fleet.waitFor(() => devices.every((device) => condition(stage, device)), timeoutMs);
    return true;
  } catch {
    return false; // the expectation that is built on this says so, with what it wanted
  } finally {
    off();
    draw();
    stage.screen.settle();
  }
}

function rows(stage: Stage, devices: readonly Member[]): LiveRow[] {
  const shown = devices.slice(0, ROWS).map((device): LiveRow => {
    const status = stage.fleet.states().get(device.thingName);
    const state = status?.state ?? 'connecting';
    const since = status?.sinceMs === undefined ? '' : new Date(status.sinceMs).toISOString().slice(11, 21);
    const issuer = device.anchor === 'private-ca' ? 'AWS Private CA' : 'factory CA';
    return {
      cells: [device.thingName, `${device.certificateId.slice(0, 8)}…`, issuer, WORDS[state], since],
      tone: state === 'connected' ? 'good' : state === 'refused' || state === 'cut' ? 'bad' : 'quiet',
    };
  });
  const unseen = devices.slice(ROWS);
  if (unseen.length > 0) {
    const out = unseen.filter((device) => refused(stage, device)).length;
    shown.push({ cells: [`… and ${unseen.length} more`, '', '', `${out} refused`, ''], tone: out === unseen.length ? 'bad' : 'quiet' });
  }
  const others = stage.members.length - devices.length;
  const stillIn = connectedCount(stage) - devices.filter((device) => connected(stage, device)).length;
  shown.push({ cells: [`all others: ${others}`, '', '', `${stillIn} connected`, ''], tone: 'quiet' });
  return shown;
}
