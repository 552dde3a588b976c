import type { RevokeMessage, SyncMessage } from '../../domain/protocol/revocation.js';

export interface RevokeQueue {
  /** Sends all, ten a call; throws if any was not taken. At least once: a retry may send some twice. */
  sendAll(messages: Iterable<RevokeMessage> | AsyncIterable<RevokeMessage>): Promise<number>;
  /** Puts one back for later (at most 900 s): used while the emergency stop holds, so that waiting does not use up deliveries. */
  defer(message: RevokeMessage, delaySeconds: number): Promise<void>;
}

export interface SyncQueue {
  send(message: SyncMessage, delaySeconds?: number): Promise<void>;
}
