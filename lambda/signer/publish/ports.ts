import type { CaRecords } from '../../ports/ca-records.js';
import type { CaSigner } from '../../ports/ca-signer.js';
import type { Clock } from '../../ports/clock.js';
import type { CrlObjects } from '../../ports/crl-objects.js';
import type { CrlPublications } from '../../ports/crl-publications.js';
import type { DecisionLog } from '../../ports/decision-log.js';
import type { Signals } from '../../ports/signals.js';
import type { TrustAnchors } from '../../ports/trust-anchors.js';

export interface PublishPorts {
  readonly anchors: TrustAnchors;
  readonly clock: Clock;
  readonly decisions: Pick<DecisionLog, 'append'>;
  readonly objects: CrlObjects;
  readonly publications: CrlPublications;
  readonly records: Pick<CaRecords, 'revoked' | 'drop'>;
  readonly signals: Signals;
  /** The key of a signer, by its ARN. */
  readonly signerOf: (keyArn: string) => CaSigner;
}
