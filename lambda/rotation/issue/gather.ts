/** What is known of one request before it is decided. What costs nothing comes first: a message that no rotation waits for asks AWS IoT nothing. */
import { certificateId } from '../../../domain/fleet/certificate-id.js';
import { thingName, type ThingName } from '../../../domain/fleet/thing-name.js';
import { Certificate } from '../../../domain/pki/certificate.js';
import type { CertificateRequest } from '../../../domain/pki/certificate-request.js';
import { OPEN_ROTATION_STATES, type RotationState } from '../../../domain/protocol/rotation.js';
import type { RotationRequestEvent } from '../../../domain/protocol/rotation-events.js';
import { isBarred } from '../../ports/containments.js';
import type { RegisteredCertificate } from '../../ports/registry.js';
import type { Rotation } from '../../ports/rotations.js';
import { nextSlot } from '../pace.js';
import type { IssueFacts } from './decide.js';
import type { IssuePorts, IssueSettings } from './ports.js';
import { readRequest, requestFacts } from './request-facts.js';

export interface Gathered {
  readonly thing: ThingName;
  readonly facts: IssueFacts;
  readonly rotation?: Rotation;
  readonly request?: CertificateRequest;
  /** The certificate that asks, as the registry has it. */
  readonly registered?: RegisteredCertificate;
  /** Is the certificate of the connection known to be this thing's? */
  readonly isTheirs: boolean;
}

const CERTIFICATE_ID = /^[0-9a-f]{64}$/i;
const OPEN: ReadonlySet<RotationState> = new Set(OPEN_ROTATION_STATES);

export async function gather(ports: IssuePorts, { perSecond }: IssueSettings, event: RotationRequestEvent): Promise<Gathered> {
  const thing = thingName(event.thingName);
  const { jobId } = event;
  const request = readRequest(event.request?.csr);
  const nothing = { principal: 'not-asked', stopped: false, contained: false, jobId, request: requestFacts(request, thing) } as const;
  // Something else than an X.509 connection (a Cognito identity, an IAM principal) has no certificate to replace.
  if (!CERTIFICATE_ID.test(event.principal)) return { thing, facts: nothing, isTheirs: false };
  const principal = certificateId(event.principal);
  const [rotation, record] = [await ports.rotations.byOld(principal), await ports.inventory.byId(principal)];
  if (rotation === undefined || !OPEN.has(rotation.state)) return { thing, facts: nothing, isTheirs: record?.thingName === thing };
  if (rotation.thingName !== thing) return { thing, facts: { ...nothing, rotation, principal: 'not-theirs' }, rotation, isTheirs: false };

  await nextSlot(ports, perSecond, 'request');
  const registered = await ports.registry.describe(principal);
  const things = await ports.registry.thingsOf(principal);
  const isTheirs = things.length === 1 && things[0] === thing;
  const facts: IssueFacts = {
    rotation,
    principal: registered?.status === 'ACTIVE' && isTheirs ? 'active-and-theirs' : 'not-theirs',
    stopped: (await ports.stop.state()).stopped,
    contained: await isBarred(ports.containments, thing),
    jobId,
    // Only of the job that the rotation has: a device must not make us ask about other people's.
    execution: jobId === rotation.jobId ? (await ports.jobs.execution(jobId, thing))?.status : undefined,
    request: requestFacts(request, thing),
  };
  if (request === undefined || rotation.csrSha256 !== undefined) return { thing, rotation, request, isTheirs, facts };
  const known = await others(ports, thing, registered, request);
  // Read again, after the keys: a reservation writes both at once, so a key that is known by this very request is seen together with it.
  const now = await ports.rotations.byOld(principal);
  const stillOpen = now !== undefined && OPEN.has(now.state) ? now : undefined;
  return { thing, rotation: stillOpen, request, registered, isTheirs, facts: { ...facts, ...known, rotation: stillOpen } };
}

/** What the other certificates say about a new request: those of the thing are read from the registry, all others are known by their keys. */
async function others(
  { enrolling, registry, rotations }: IssuePorts,
  thing: ThingName,
  asking: RegisteredCertificate | undefined,
  request: CertificateRequest,
): Promise<Pick<IssueFacts, 'keyIsKnown' | 'hasAnother'>> {
  let keyIsKnown = await rotations.keyIsKnown(request.keyId);
  keyIsKnown ||= asking !== undefined && hasKeyOf(asking.certificatePem, request);
  let hasAnother = false;
  for (const id of await enrolling.certificatesOf(thing)) {
    if (id === asking?.certificateId) continue;
    const registered = await registry.describe(id);
    if (registered === undefined) continue;
    keyIsKnown ||= hasKeyOf(registered.certificatePem, request);
    hasAnother ||= registered.status === 'ACTIVE';
  }
  return { keyIsKnown, hasAnother };
}

/** Compared as keys: the old certificate may write the same key in another form. A certificate that cannot be read counts as having it. */
function hasKeyOf(certificatePem: string, request: CertificateRequest): boolean {
  try {
    const { spkiDer, publicKey } = Certificate.read(certificatePem);
    return Buffer.from(spkiDer).equals(request.spkiDer) || publicKey.equals(request.publicKey);
  } catch {
    return true;
  }
}
