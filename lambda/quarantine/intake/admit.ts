/** The brake, over everything that a batch wants, before the first of it is begun: booked and started, or held for a person. */
import { thingName } from '../../../domain/fleet/thing-name.js';
import type { Booking } from '../../ports/containment-work.js';
import { allInTurns } from '../in-turns.js';
import { countsAdmit, groupsAdmit, type BrakeVerdict } from './brake.js';
import { hold } from './hold.js';
import type { Candidate, IntakePorts, IntakeSettings } from './ports.js';

const AT_ONCE = 10;

export async function admit(ports: IntakePorts, settings: IntakeSettings, candidates: readonly Candidate[]): Promise<void> {
  const people = candidates.filter(({ byPerson }) => byPerson);
  const machines = candidates.filter(({ byPerson }) => !byPerson);
  // A person has named the thing: counted, never held.
  await begin(ports, people);
  if (machines.length === 0) return;
  const verdict = await bookedByMachine(ports, settings, machines);
  if (verdict.reason !== 'admitted') return hold(ports, machines, 'over-containment-brake', verdict.reason);
  if (verdict.shared.length > 0) await hold(ports, verdict.shared, 'shared-certificate', 'shared-certificate');
  await start(ports, verdict.alone);
}

/** Books and begins, whatever the brake says: a person has consented to these very things. */
export async function begin(ports: IntakePorts, candidates: readonly Candidate[]): Promise<void> {
  if (candidates.length === 0) return;
  const wanted = await allInTurns(AT_ONCE, candidates, (candidate) => bookingOf(ports, candidate));
  await ports.budget.book(wanted, () => Promise.resolve(true));
  await start(ports, candidates);
}

async function start({ workflows }: IntakePorts, candidates: readonly Candidate[]): Promise<void> {
  await allInTurns(AT_ONCE, candidates, ({ input }) => workflows.start(input));
}

interface Verdict {
  readonly reason: BrakeVerdict;
  readonly alone: readonly Candidate[];
  /** Not booked: a person decides. */
  readonly shared: readonly Candidate[];
}

async function bookedByMachine(ports: IntakePorts, { brake }: IntakeSettings, candidates: readonly Candidate[]): Promise<Verdict> {
  const { budget, clock, inventory, rights } = ports;
  const nowMs = clock.nowMs();
  const activeCount = await inventory.activeCount();
  const none = { alone: [], shared: [] } as const;
  // By numbers first: a storm of thousands must not read the groups of thousands to learn that it is one.
  const ids = new Set(candidates.map(({ input }) => input.containmentId));
  const before = await budget.booked();
  const others = before.filter(({ containmentId }) => !ids.has(containmentId));
  const early = countsAdmit(others, candidates.length, activeCount, brake, nowMs);
  if (early !== 'admitted') return { reason: early, ...none };

  const looked = await allInTurns(AT_ONCE, candidates, async (candidate) => ({
    candidate,
    isShared: await sharesCertificate(ports, candidate),
    booking: await bookingOf(ports, candidate),
  }));
  const alone = looked.filter(({ isShared }) => !isShared);
  let reason: BrakeVerdict = 'admitted';
  const wanted = alone.map(({ booking }) => booking);
  const isBooked = await budget.book(wanted, async (booked) => {
    reason = countsAdmit(booked, wanted.length, activeCount, brake, nowMs);
    if (reason === 'admitted') reason = await groupsAdmit(booked, wanted, brake, (group, upTo) => rights.countThings(group, upTo));
    return reason === 'admitted';
  });
  if (!isBooked) return { reason, ...none };
  return {
    reason: 'admitted',
    alone: alone.map(({ candidate }) => candidate),
    shared: looked.filter(({ isShared }) => isShared).map(({ candidate }) => candidate),
  };
}

/** Would others be cut off with it? */
async function sharesCertificate({ rights, registry }: IntakePorts, { input }: Candidate): Promise<boolean> {
  for (const id of await rights.certificatesOf(thingName(input.thingName)))
    if ((await registry.thingsOf(id)).some((name) => name !== input.thingName)) return true;
  return false;
}

async function bookingOf({ rights, clock }: IntakePorts, { input }: Candidate): Promise<Booking> {
  const thing = thingName(input.thingName);
  const groups = await rights.groupsOf(thing);
  return { thingName: thing, containmentId: input.containmentId, sinceMs: clock.nowMs(), groups };
}
