import { certificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import { Certificate } from '../../domain/pki/certificate.js';
import { serialNumberFromDecimal, serialNumberFromHex, type SerialNumber } from '../../domain/pki/serial-number.js';
import type { Containment } from '../ports/containment-records.js';
import type { Decision } from '../ports/decision-log.js';
import type { CertificateRecord, RevocationRecord } from '../ports/inventory.js';
import type { Rotation } from '../ports/rotations.js';
import { Refused, type Answer } from './answer.js';
import type { Application } from './application.js';
import { containmentFacts, containmentJson } from './containments.js';
import { bad, facts, good, quiet, sentenceOf, time, title } from './words.js';

/** What was found about one certificate, or about one serial number that no certificate is known of. */
interface Story {
  readonly certificate?: CertificateRecord;
  /** What AWS IoT itself says now; `gone`: no such certificate there. Absent where no certificate is known. */
  readonly registry?: string;
  readonly revocation?: RevocationRecord;
  /** In which it is the old certificate, or the new one. */
  readonly rotations?: readonly Rotation[];
  /** Of a thing: the containment that is open. */
  readonly containment?: Containment;
  readonly timeline: readonly Decision[];
}

/**
 * Everything that is known of a thing, a certificateId or a serial number. What the text could be, it is looked up as, all of it: a thing may
 * well be called `beef`.
 */
export async function why(application: Application, target: string): Promise<Answer> {
  const stories = new Map<string, Story>();
  for (const record of await certificatesOf(application, target)) {
    stories.set(record.certificateId, await storyOf(application, record));
  }
  for (const { issuerId, serialNumber } of await serialsOf(application, target)) {
    const { certificate, revocation } = await application.inventory.bySerial(issuerId, serialNumber);
    if (certificate !== undefined) {
      if (!stories.has(certificate.certificateId)) stories.set(certificate.certificateId, await storyOf(application, certificate));
      continue;
    }
    const timeline = await decisionsOf(application, [subjectOf(issuerId, serialNumber)]);
    if (revocation !== undefined || timeline.length > 0) stories.set(`${issuerId}#${serialNumber}`, { revocation, timeline });
  }
  const contained = await containmentStory(application, target);
  if (contained !== undefined) stories.set('thing', contained);
  if (stories.size === 0) {
    throw new Refused(
      `nothing is known of "${target}": looked for a thing, a certificateId and a serial number (hexadecimal, and decimal) of each trust anchor`,
    );
  }
  const found = [...stories.values()];
  return { json: { target, found: found.map(asJson) }, text: () => found.map(screen).join('\n\n') };
}

/** What was considered and done about the thing itself. `undefined`: nothing is on record. */
async function containmentStory(application: Application, target: string): Promise<Story | undefined> {
  const thing = read(thingName, target);
  if (thing === undefined) return undefined;
  const containment = await application.containments.get(thing);
  const timeline = await decisionsOf(application, [`THING#${thing}`]);
  if (containment === undefined && timeline.length === 0) return undefined;
  return { timeline, ...(containment === undefined ? {} : { containment }) };
}

/** Records by certificateId or by thing. */
async function certificatesOf({ inventory }: Application, target: string): Promise<readonly CertificateRecord[]> {
  const id = read(certificateId, target);
  const byId = id && (await inventory.byId(id));
  const records = byId === undefined ? [] : [byId];
  const thing = read(thingName, target);
  if (thing !== undefined) for await (const record of inventory.byThing(thing)) records.push(record);
  return records;
}

/** The serial numbers that the text may mean, under each name that our trust anchors issue in. */
async function serialsOf({ anchors }: Application, target: string): Promise<readonly { issuerId: string; serialNumber: SerialNumber }[]> {
  const candidates = [read(serialNumberFromHex, target), read(serialNumberFromDecimal, target)];
  const serials = new Set(candidates.filter((serial) => serial !== undefined));
  if (serials.size === 0) return [];
  const issuerIds = new Set((await anchors.all()).map(({ certificatePem }) => Certificate.read(certificatePem).subjectId));
  return [...issuerIds].flatMap((issuerId) => [...serials].map((serialNumber) => ({ issuerId, serialNumber })));
}

/** `undefined` where the text is no such thing: the constructors say so by a RangeError. */
function read<T>(parse: (text: string) => T, text: string): T | undefined {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const subjectOf = (issuerId: string, serialNumber: SerialNumber): string => `SERIAL#${issuerId}#${serialNumber}`;

async function storyOf(application: Application, certificate: CertificateRecord): Promise<Story> {
  const { issuerId, serialNumber, certificateId: id } = certificate;
  const [{ revocation }, registry, rotations, timeline] = await Promise.all([
    application.inventory.bySerial(issuerId, serialNumber),
    registryStatus(application, id),
    rotationsOf(application, id),
    decisionsOf(application, [`CERT#${id}`, subjectOf(issuerId, serialNumber)]),
  ]);
  return { certificate, registry, revocation, rotations, timeline };
}

async function registryStatus({ registry }: Application, id: CertificateId): Promise<string> {
  return (await registry.describe(id))?.status ?? 'gone';
}

async function rotationsOf({ rotations }: Application, id: CertificateId): Promise<readonly Rotation[]> {
  const found = await Promise.all([rotations.byOld(id), rotations.byNew(id)]);
  return found.filter((rotation) => rotation !== undefined);
}

/** Oldest first. */
async function decisionsOf({ decisions }: Application, subjects: readonly string[]): Promise<readonly Decision[]> {
  const rows: Decision[] = [];
  for (const subject of subjects) for await (const row of decisions.of(subject)) rows.push(row);
  return rows.sort((one, other) => one.atMs - other.atMs);
}

function asJson({ certificate, registry, revocation, containment, rotations = [], timeline }: Story) {
  return {
    containment: containment && containmentJson(containment),
    certificate: certificate && {
      ...certificate,
      notBefore: time(certificate.notBeforeMs),
      notAfter: time(certificate.notAfterMs),
      lastSeenAt: certificate.lastSeenAtMs === undefined ? undefined : time(certificate.lastSeenAtMs),
    },
    registry,
    revocation: revocation && { ...revocation, updatedAt: time(revocation.updatedAtMs) },
    rotations: rotations.map(({ createdAtMs, updatedAtMs, deadlineMs, ...rotation }) => ({
      ...rotation,
      createdAt: time(createdAtMs),
      updatedAt: time(updatedAtMs),
      deadline: time(deadlineMs),
    })),
    timeline: timeline.map((row) => ({ ...row, at: time(row.atMs), sentence: sentenceOf(row.reason) })),
  };
}

function screen({ certificate, registry, revocation, containment, rotations = [], timeline }: Story): string {
  const parts: string[] = [];
  if (containment !== undefined) parts.push(containmentFacts(containment));
  if (certificate !== undefined) parts.push(certificateFacts(certificate, registry));
  if (revocation !== undefined) {
    const { message, state, outcome, updatedAtMs } = revocation;
    parts.push(
      facts([
        ...(certificate === undefined
          ? [['serial number', title(revocation.serialNumber)] as const, ['certificate', 'none known in AWS IoT'] as const]
          : []),
        [
          'revocation',
          `${message.action}, ${message.reason}, asked by ${message.source}${message.crlNumber === undefined ? '' : ` ${message.crlNumber}`}`,
        ],
        ['outcome', state === 'done' ? `${outcome} at ${time(updatedAtMs)}` : `under way since ${time(updatedAtMs)}`],
      ]),
    );
  }
  for (const rotation of rotations) parts.push(rotationFacts(rotation, certificate?.certificateId));
  parts.push(timeline.length === 0 ? quiet('No decision is on record.') : timeline.map(line).join('\n'));
  return parts.join('\n\n');
}

function certificateFacts(certificate: CertificateRecord, registry: string | undefined): string {
  const colour = certificate.status === 'ACTIVE' ? good : certificate.status === 'REVOKED' ? bad : String;
  const differs =
    registry !== certificate.status && !(registry === 'gone' && ['DELETED', 'NOT_REGISTERED', 'REVOKED'].includes(certificate.status));
  return facts([
    ['certificateId', title(certificate.certificateId)],
    ['thing', certificate.thingName ?? 'none'],
    ['serial number', certificate.serialNumber],
    ['issuer', certificate.issuerId],
    [
      'status',
      `${colour(certificate.status)}${certificate.statusReason === undefined ? '' : ` — ${sentenceOf(certificate.statusReason)}`}`,
    ],
    ...(differs ? [['registry', bad(`${registry}: the inventory says otherwise`)] as const] : []),
    ['valid', `${time(certificate.notBeforeMs)} to ${time(certificate.notAfterMs)}`],
    ['last seen', certificate.lastSeenAtMs === undefined ? 'never' : `${time(certificate.lastSeenAtMs)} as ${certificate.clientId}`],
    ['told by', certificate.source],
  ]);
}

function rotationFacts(rotation: Rotation, of: string | undefined): string {
  const { oldCertificateId, newCertificateId, state, stateReason, reason, foundBy, campaignId, deadlineMs, retireAtMs } = rotation;
  const other = oldCertificateId === of ? ['replaced by', newCertificateId ?? 'nothing yet'] : ['replaces', oldCertificateId];
  return facts([
    ['rotation', `${title(state)}${stateReason === undefined ? '' : ` — ${sentenceOf(stateReason)}`}`],
    [other[0] ?? '', other[1] ?? ''],
    ['why', sentenceOf(reason)],
    ['found by', foundBy],
    ['campaign', campaignId],
    ['deadline', time(deadlineMs)],
    ...(retireAtMs === undefined ? [] : [['retired at', time(retireAtMs)] as const]),
  ]);
}

function line({ atMs, act, step, reason, by, runId, detail }: Decision): string {
  const more = Object.entries(detail ?? {}).map(([name, value]) => `${name} ${value}`);
  return [
    `${quiet(time(atMs))}  ${step === 'intent' ? `${act} …` : title(act)}  ${sentenceOf(reason)}`,
    quiet(`    ${[`by ${by}`, `run ${runId}`, ...more].join(', ')}`),
  ].join('\n');
}
