/** What is known of one proof before it is decided. A message over a certificate that is nobody's new one asks AWS IoT nothing. */
import { certificateId, type CertificateId } from '../../../domain/fleet/certificate-id.js';
import { thingName, type ThingName } from '../../../domain/fleet/thing-name.js';
import type { RotationProofEvent } from '../../../domain/protocol/rotation-events.js';
import { isBarred } from '../../ports/containments.js';
import type { Rotation } from '../../ports/rotations.js';
import { nextSlot } from '../pace.js';
import type { ProveFacts, Rights } from './decide.js';
import type { ProvePorts, ProveSettings } from './ports.js';

export interface Gathered {
  readonly thing: ThingName;
  readonly facts: ProveFacts;
  readonly rotation?: Rotation;
  /** Is the certificate of the connection known to be this thing's? */
  readonly isTheirs: boolean;
}

const CERTIFICATE_ID = /^[0-9a-f]{64}$/i;

export async function gather(ports: ProvePorts, { perSecond }: ProveSettings, event: RotationProofEvent): Promise<Gathered> {
  const thing = thingName(event.thingName);
  const { jobId } = event;
  const nothing = { jobId, principal: 'not-asked', stopped: false, contained: false } as const;
  if (!CERTIFICATE_ID.test(event.principal)) return { thing, facts: nothing, isTheirs: false };
  const principal = certificateId(event.principal);
  const rotation = await ports.rotations.byNew(principal);
  if (rotation === undefined) return { thing, facts: nothing, isTheirs: (await ports.inventory.byId(principal))?.thingName === thing };
  if (rotation.thingName !== thing) return { thing, facts: { ...nothing, rotation, principal: 'not-theirs' }, rotation, isTheirs: false };

  await nextSlot(ports, perSecond, 'proof');
  const registered = await ports.registry.describe(principal);
  const fresh = await rightsOf(ports, principal);
  const isTheirs = fresh.things.length === 1 && fresh.things[0] === thing;
  return {
    thing,
    rotation,
    isTheirs,
    facts: {
      rotation,
      jobId,
      principal: registered?.status === 'ACTIVE' && isTheirs ? 'active-and-theirs' : 'not-theirs',
      stopped: (await ports.stop.state()).stopped,
      contained: await isBarred(ports.containments, thing),
      fresh,
      old: await rightsOf(ports, rotation.oldCertificateId),
    },
  };
}

async function rightsOf({ enrolling, registry }: ProvePorts, id: CertificateId): Promise<Rights> {
  return { things: await registry.thingsOf(id), policies: await enrolling.policiesOf(id) };
}
