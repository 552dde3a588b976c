/**
 * Whose device it is. What a violation or a finding names may be a certificate, a client id that anybody may have claimed, or a thing that the certificate
 * has left since: the registry, and what the inventory has seen, say who is meant now. Reads only.
 */
import { certificateId, type CertificateId } from '../../../domain/fleet/certificate-id.js';
import { isThingName, thingName } from '../../../domain/fleet/thing-name.js';
import type { AuditFinding } from '../../ports/containment-work.js';
import type { ClientIdUse } from '../../ports/inventory.js';
import {
  decideAttachment,
  decideConflict,
  decideNamed,
  decideNameless,
  decidePrincipal,
  type OffenderDecision,
  type PrincipalFacts,
  type UserFacts,
  type Users,
} from './decide.js';
import { nextSlot } from '../pace.js';
import type { IntakePorts, Turns } from './ports.js';

type OffenderPorts = Pick<IntakePorts, 'clock' | 'inventory' | 'pace' | 'records' | 'registry' | 'rights'> & { readonly turns: Turns };

/** AWS IoT looks back 31 days for client ids (FACTS C2); a use that goes on is noted once a week. What was seen before says nothing about a conflict of today. */
const LOOK_BACK_MS = 38 * 86_400_000;
/** Each is two or three reads of the registry. A client id of more certificates than these is the name of nobody. */
const MOST_USERS = 10;
/** A violation that has just begun was done by who used its client id then: a use that goes on is noted once a week, and the windows take their time. */
const USED_BEFORE_MS = 8 * 86_400_000;
const CERTIFICATE_ID = /^[0-9a-f]{64}$/;

/** Of a violation of `name`, as its source has it: `client`, for which it was counted, and since when it is in alarm. */
export async function offenderOf(ports: OffenderPorts, name: string, startedAtMs: number, client = name): Promise<OffenderDecision> {
  const asNamed = { who: 'things', names: [name] } as const;
  if (!isThingName(name)) return asNamed;
  const claimed = async () => lately(await ports.inventory.usersOf(client), startedAtMs - USED_BEFORE_MS);
  // Whose connection is refused is counted for his certificate, and is not seen under any client id. Who was let in may call himself by another’s certificate.
  if (CERTIFICATE_ID.test(client) && (await ports.rights.describeThing(thingName(client))) === undefined && (await claimed()).size === 0) {
    const facts = await principal(ports, certificateId(client));
    // A client may call itself by what only looks like a certificate.
    if (facts.status !== undefined) return decidePrincipal(facts);
  }
  if (client === name) {
    const ids = await claimed();
    // As in most fleets: only a thing’s own certificates call themselves by its name.
    if (ids.size === 0) return asNamed;
    if ((await ports.rights.describeThing(thingName(name))) === undefined)
      return decideNameless(name, await usersOf(ports, ids), 'violation');
    for (const id of await ports.rights.certificatesOf(thingName(name))) ids.delete(id);
    return decideNamed(name, await usersOf(ports, ids));
  }
  const ids = await seenUnder(ports, client, name);
  if (ids.size === 0) return asNamed;
  const own = await ports.rights.certificatesOf(thingName(name));
  const isAttached = own.some((id) => ids.has(id));
  // A storm of a fleet that is attached as it was must not read all of it certificate by certificate.
  return decideAttachment({ thingName: name, clientId: client, isAttached, users: isAttached ? [] : await usersOf(ports, ids) });
}

/** Of a finding; `undefined`: it names neither a certificate nor a client id. */
export async function offenderOfFinding(ports: OffenderPorts, found: AuditFinding): Promise<OffenderDecision | undefined> {
  if (found.certificateId !== undefined) return decidePrincipal(await principal(ports, certificateId(found.certificateId)));
  return found.clientId === undefined ? undefined : offenderOfConflict(ports, found);
}

/** Of a finding about client ids. What AWS IoT names in it counts; where it names no certificate, what the inventory has seen. */
async function offenderOfConflict(
  ports: OffenderPorts,
  { clientId = '', principals = [] }: Pick<AuditFinding, 'clientId' | 'principals'>,
): Promise<OffenderDecision> {
  const isThing = isThingName(clientId) && (await ports.rights.describeThing(thingName(clientId))) !== undefined;
  const ids = principals.length > 0 ? new Set(principals) : await seenUnder(ports, clientId, clientId);
  return decideConflict({ clientId, isThing, users: await usersOf(ports, ids) });
}

/** Certificates that have used a client id lately: those seen under it, and those of the thing `name` that were last seen under it. */
async function seenUnder({ clock, inventory }: OffenderPorts, clientId: string, name: string): Promise<ReadonlySet<CertificateId>> {
  const sinceMs = clock.nowMs() - LOOK_BACK_MS;
  const ids = lately(await inventory.usersOf(clientId), sinceMs);
  // A thing's own name as client id is no news, and is kept in its certificates' records alone.
  if (isThingName(name))
    for await (const record of inventory.byThing(thingName(name)))
      if (record.clientId === clientId && (record.lastSeenAtMs ?? 0) >= sinceMs) ids.add(record.certificateId);
  return ids;
}

const lately = (uses: readonly ClientIdUse[], sinceMs: number): Set<CertificateId> =>
  new Set(uses.filter(({ seenAtMs }) => seenAtMs >= sinceMs).map(({ certificateId: id }) => id));

async function usersOf(ports: OffenderPorts, ids: ReadonlySet<CertificateId>): Promise<Users> {
  if (ids.size > MOST_USERS) return 'too-many';
  const users: UserFacts[] = [];
  for (const id of ids) {
    const wasOf = (await ports.inventory.byId(id))?.thingName;
    users.push({ ...(await principal(ports, id)), ...(wasOf === undefined ? {} : { wasOf }) });
  }
  return users;
}

/** In its turn: a whole fleet may be refused at once, and who is being cut off at the same time needs the same calls. */
async function principal(ports: OffenderPorts, id: CertificateId): Promise<PrincipalFacts> {
  const { clock, records, registry, turns } = ports;
  await nextSlot(ports, turns, { waitMs: Math.max(0, turns.untilMs - clock.nowMs()) });
  const registered = await registry.describe(id);
  if (registered === undefined) return { certificateId: id, things: [] };
  const things = [...(await registry.thingsOf(id))].sort();
  const contained = await Promise.all(things.map((thing) => records.get(thing)));
  return { certificateId: id, status: registered.status, things, isContained: contained.some((row) => row !== undefined) };
}
