import type { CertificateId } from '../../domain/fleet/certificate-id.js';
import type { ThingName } from '../../domain/fleet/thing-name.js';

/** What gives a certificate its place in the fleet. Every method is idempotent: it may be repeated after a crash. */
export interface Enrolling {
  /** RegisterCertificate with status INACTIVE or ACTIVE; registered already: its id. */
  register(certificatePem: string, caCertificatePem: string, status: 'ACTIVE' | 'INACTIVE'): Promise<CertificateId>;
  policiesOf(id: CertificateId): Promise<readonly string[]>;
  attachPolicy(id: CertificateId, policyName: string): Promise<void>;
  detachPolicy(id: CertificateId, policyName: string): Promise<void>;
  /** EXCLUSIVE_THING. */
  attachThing(id: CertificateId, thing: ThingName): Promise<void>;
  detachThing(id: CertificateId, thing: ThingName): Promise<void>;
  /** Certificates attached to a thing. */
  certificatesOf(thing: ThingName): Promise<readonly CertificateId[]>;
  /** Publishes to the device, QoS 1. */
  publish(topic: string, payload: string): Promise<void>;
}
