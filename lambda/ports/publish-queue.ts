import type { PublishMessage } from '../../domain/protocol/signer.js';

/** Where the CRL of a CA of ours is asked for. */
export interface PublishQueue {
  /** Delivered after `delaySeconds`, at most 900: revocations that come together are published together. */
  send(message: PublishMessage, delaySeconds: number): Promise<void>;
}
