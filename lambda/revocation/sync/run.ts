import type { SyncMessage } from '../../../domain/protocol/revocation.js';
import { approve } from './approve.js';
import { syncObject } from './object.js';
import type { SyncPorts, SyncSettings } from './ports.js';
import { sweep } from './sweep.js';

/** One message of the sync queue. Resolves when there is nothing more to do with it, also for what is refused; throws what is worth another delivery. */
export async function run(ports: SyncPorts, settings: SyncSettings, message: SyncMessage): Promise<void> {
  if (settings.mode === 'off') return ports.signals.info('left alone', { kind: message.kind, outcome: 'off', reason: 'mode-off' });
  switch (message.kind) {
    case 'object':
      return syncObject(ports, settings, message);
    case 'approved':
      return approve(ports, settings, message.hash);
    case 'sweep':
      return sweep(ports, settings);
  }
}
