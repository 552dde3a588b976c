import type { RotationPresence } from '../../domain/protocol/rotation-events.js';
import type { RetireMessage, StartMessage } from '../../domain/protocol/rotation-work.js';

/** At least once, in any order. The delay is 900 s at most. */
export interface StartQueue {
  send(message: StartMessage, delaySeconds?: number): Promise<void>;
}

/** Connections with new certificates, for `prove`. The delay is 900 s at most. */
export interface ProveQueue {
  send(message: RotationPresence, delaySeconds: number): Promise<void>;
}

export interface RetireQueue {
  send(message: RetireMessage, delaySeconds?: number): Promise<void>;
}
