/**
 * Scene: four devices have been taken over. Each is detected by what it does, cut off in seconds, let back for repair alone, shut off there, and released
 * by an operator exactly as it was; one of them with a new key.
 */
import { DEFAULT_PREFIX } from '../../domain/protocol/application-parameters.js';
import type { EnrolledDevice } from '../fleet/enrol.js';
import type { DeviceFault } from '../fleet/faults.js';
import { startFleet, type Fleet } from '../fleet/fleet.js';
import { alarmed, enrolled, gatewayOf, inventoryKnows, MINUTE } from './agents.js';
import { connectedCount } from './fleet-view.js';
import { connectedWith } from './registry-view.js';
import { until } from './report.js';
import type { Scene } from './scene.js';
import { containmentOf, intoGroups, isSame, standingOf, type ContainmentRow, type Standing } from './standing.js';
import type { Stage } from './stage.js';

/** On macOS the loopback interface has one address, unless somebody gives it another. */
const HAS_ADDRESSES = process.platform !== 'darwin';
/** `staysOpen`: it comes back for repair from that very address, so its alarm stands: the operator insists. */
const VIOLATORS: readonly { readonly thingName: string; readonly fault: DeviceFault; readonly does: string; readonly staysOpen?: true }[] =
  [
    { thingName: 'drone-flood', fault: 'floods', does: 'floods its topic' },
    ...(HAS_ADDRESSES
      ? [{ thingName: 'drone-roam', fault: 'strange-address', does: 'calls from 127.0.0.66', staysOpen: true } as const]
      : []),
    { thingName: 'drone-scan', fault: 'scans', does: 'tries others’ topics' },
    { thingName: 'drone-spy', fault: 'open-port', does: 'open telnet, new peers' },
  ];
const NAMES = VIOLATORS.map(({ thingName }) => thingName);
const REKEYED = 'drone-spy';
const REPAIR_POLICY = 'fleetwarden-repair';

export const violators: Scene = {
  id: '10',
  title: 'violators',
  story: [
    `${VIOLATORS.length === 4 ? 'Four' : 'Three'} drones have been taken over. They are told apart by what they do, cut off,`,
    'let back for repair alone, shut off there, and released as they were.',
  ],
  async run(stage) {
    const before = connectedCount(stage);
    const devices = await enrolled(stage, NAMES, 200);
    await intoGroups(stage, NAMES);
    const standings = await Promise.all(NAMES.map((name) => standingOf(stage, name)));
    const drones = await startFleet({
      ...gatewayOf(stage),
      devices: devices.map((device, index) => ({ ...device, fault: VIOLATORS[index]!.fault })),
      agent: true,
      commands: true,
      backoff: { firstMs: 300, longestMs: 3000 },
    });
    try {
      const view = new View(stage, drones);
      await cutOff(stage, view, devices);
      await repaired(stage, view, drones);
      await released(stage, view, drones, standings);
      stage.expect('the rest of the fleet noticed nothing', connectedCount(stage) === before);
    } finally {
      await drones.stop();
    }
  },
};

/** The live table: what each does, how it is connected, how far its containment is. */
class View {
  rows = new Map<string, ContainmentRow | undefined>();

  constructor(
    private readonly stage: Stage,
    private readonly drones: Fleet,
  ) {}

  /** Reads what is contained, and draws, until `condition` holds. */
  async until(condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
    const held = await until(async () => {
      this.rows = new Map(await Promise.all(NAMES.map(async (name) => [name, await containmentOf(this.stage, name)] as const)));
      this.draw();
      return condition();
    }, timeoutMs);
    this.stage.screen.settle();
    return held;
  }

  private draw(): void {
    const rows = VIOLATORS.map(({ thingName, does }) => {
      const row = this.rows.get(thingName);
      const state = this.drones.states().get(thingName)?.state ?? 'connecting';
      const order = this.drones.orders().get(thingName);
      return {
        cells: [thingName, does, state, row?.state ?? 'free', order === undefined ? '' : order.operation],
        tone: row === undefined ? ('quiet' as const) : ('bad' as const),
      };
    });
    this.stage.screen.live(['thing', 'what it does', 'connection', 'containment', 'told to'], rows);
  }
}

async function cutOff(stage: Stage, view: View, devices: readonly EnrolledDevice[]): Promise<void> {
  const startedAt = performance.now();
  const since = stage.desk.world.clock.date();
  const out = new Map<string, number>();
  const isOut = async ({ thingName, certificateId }: EnrolledDevice): Promise<boolean> => {
    const { certificates } = await standingOf(stage, thingName);
    const isInactive = certificates.find((certificate) => certificate.certificateId === certificateId)?.status === 'INACTIVE';
    if (isInactive && connectedWith(stage, thingName) === undefined && !out.has(thingName))
      out.set(thingName, performance.now() - startedAt);
    return out.has(thingName);
  };
  await view.until(async () => (await Promise.all(devices.map(isOut))).every(Boolean), 90_000);
  for (const { thingName, does } of VIOLATORS) {
    const ms = out.get(thingName);
    stage.expect(
      `${thingName} (${does}) is cut off${ms === undefined ? '' : `, ${(ms / 1000).toFixed(1)} s after its first message`}`,
      ms !== undefined,
    );
  }
  stage.expect('the alarm contained went off', await alarmed(stage, 'contained', since));
  await inventoryKnows(stage, devices);
}

/** Policies take their time to count; then the devices may come back, and can do nothing but be repaired. */
async function repaired(stage: Stage, view: View, drones: Fleet): Promise<void> {
  stage.screen.say('… simulated: eleven minutes pass, in which AWS IoT takes in the change of policies');
  await stage.desk.world.clock.advance(11 * MINUTE);
  const off = await view.until(async () => {
    await stage.desk.world.clock.advance(MINUTE / 4);
    return NAMES.every((name) => view.rows.get(name)?.shutOff?.outcome === 'done');
  }, 90_000);
  stage.expect(
    'each came back, was told to shut off, and has answered that it did',
    off && NAMES.every((name) => drones.orders().get(name)?.status === 'SUCCEEDED'),
  );
  const standings = await Promise.all(NAMES.map((name) => standingOf(stage, name)));
  stage.expect(
    `while it is contained it has one policy, ${REPAIR_POLICY}, and no group that carries one`,
    standings.every(
      ({ groups, certificates }) => !groups.includes('line-1') && certificates.every(({ policies }) => policies.join() === REPAIR_POLICY),
    ),
  );
  const listed = await stage.fleetwarden('contained');
  stage.expect('`fleetwarden contained` lists them', listed.status === 0 && NAMES.every((name) => listed.output.includes(name)));
}

async function released(stage: Stage, view: View, drones: Fleet, before: readonly Standing[]): Promise<void> {
  stage.screen.say('… simulated: a quarter of an hour passes, and their alarms are cleared');
  await stage.desk.world.clock.advance(16 * MINUTE);
  for (const { thingName, staysOpen } of VIOLATORS) {
    const how = [...(thingName === REKEYED ? ['--rekey'] : []), ...(staysOpen ? ['--force'] : [])];
    const asked = await stage.fleetwarden('release', thingName, '--reason', 'cleaned', ...how);
    if (asked.status !== 0) stage.expect(`\`fleetwarden release ${thingName}\``, false, asked.output.slice(0, 200));
  }
  stage.screen.say(`operator: npx fleetwarden release … --reason cleaned; ${REKEYED} with --rekey; --force where an alarm still stands`);
  const free = await view.until(async () => {
    await stage.desk.world.clock.advance(MINUTE / 4);
    return NAMES.every((name) => view.rows.get(name) === undefined);
  }, 120_000);
  stage.expect('the operator releases them on the command line', free);
  const after = await Promise.all(NAMES.map((name) => standingOf(stage, name)));
  for (const [index, name] of NAMES.entries()) {
    if (name !== REKEYED) stage.expect(`${name} has exactly what it had`, isSame(before[index]!, after[index]!));
    else await rekeyed(stage, drones, before[index]!, after[index]!);
  }
  const on = await view.until(
    () => NAMES.every((name) => drones.orders().get(name)?.operation === 'resume' && connectedWith(stage, name) !== undefined),
    60_000,
  );
  stage.expect('each was told to resume, and is connected', on);
}

/** Groups and policies as before, but on another certificate. The group of the rotation's campaign is there beside them until the campaign is tidied away. */
async function rekeyed(stage: Stage, drones: Fleet, before: Standing, after: Standing): Promise<void> {
  const [old] = before.certificates;
  const fresh = after.certificates.find(({ certificateId }) => certificateId !== old!.certificateId);
  const rights = { status: 'ACTIVE', policies: old!.policies };
  const groups = after.groups.filter((name) => !name.startsWith(`${DEFAULT_PREFIX}-rotation-`));
  const isMade = await until(() => drones.rotations().get(REKEYED)?.step === 'finished', 30_000);
  stage.expect(
    `${REKEYED} has what it had, on a new certificate, with a key that it has made in between`,
    isMade &&
      groups.join() === before.groups.join() &&
      JSON.stringify({ status: fresh?.status, policies: fresh?.policies }) === JSON.stringify(rights),
    isMade ? groups.join(' ') : 'the rotation did not end',
  );
  const left = after.certificates.find(({ certificateId }) => certificateId === old!.certificateId);
  stage.expect('and its old certificate is out of use', left?.status !== 'ACTIVE', left?.status);
}
