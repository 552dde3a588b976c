import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import type { ThingName } from '../../domain/fleet/thing-name.js';
import type { ShutOffJob } from '../../domain/protocol/shut-off.js';

export interface DescribedThing {
  readonly thingName: ThingName;
  readonly typeName?: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What a thing and its certificates are allowed. `undefined` and empty lists only ever mean "does not exist"; every other failure throws. */
export interface Rights {
  /** DescribeThing: 350 a second. */
  describeThing(thing: ThingName): Promise<DescribedThing | undefined>;
  certificatesOf(thing: ThingName): Promise<readonly CertificateId[]>;
  /** Policies attached to the certificate itself; `undefined`: it is gone. */
  policiesOf(id: CertificateId): Promise<readonly string[] | undefined>;
  /** `gone`: the policy or the certificate does not exist. `full`: ten are attached already. */
  attachPolicy(id: CertificateId, policyName: string): Promise<'attached' | 'gone' | 'full'>;
  detachPolicy(id: CertificateId, policyName: string): Promise<void>;
  /** Names of all groups, dynamic ones among them. */
  groupsOf(thing: ThingName): Promise<readonly string[]>;
  /** `policies`: with those that it has from its parents. */
  describeGroup(name: string): Promise<{ readonly isDynamic: boolean; readonly policies: readonly string[] } | undefined>;
  /** `gone`: the group or the thing does not exist. `refused`: the thing is in ten groups, or in another one of the same tree. */
  joinGroup(name: string, thing: ThingName): Promise<'joined' | 'gone' | 'refused'>;
  leaveGroup(name: string, thing: ThingName): Promise<void>;
  /** How many things are in a group; counts no further than `upTo`. */
  countThings(groupName: string, upTo: number): Promise<number>;
}

/** Jobs for one contained thing. Creating is idempotent by the deterministic id. */
export interface DeviceJobs {
  /** `gone`: the thing does not exist. */
  create(jobId: string, thing: ThingName, document: ShutOffJob, timeoutMinutes: number): Promise<'created' | 'gone'>;
  /** Status of the execution and what the device said; `undefined`: there is none. */
  execution(
    jobId: string,
    thing: ThingName,
  ): Promise<{ readonly status: string; readonly said: Readonly<Record<string, string>> } | undefined>;
  /** CancelJob, with force. Ended already, or gone: success. */
  cancel(jobId: string): Promise<void>;
}
