import { z } from 'zod';
import { IssuanceEvent, PresenceEvent, RegisteredEvent } from '../../../domain/protocol/inventory-events.js';

/** One message on the inventory queue, told apart by the constant `kind` of the IoT topic rules, or by the shape of an EventBridge event. */
export const InventoryMessage = z.union([PresenceEvent, RegisteredEvent, IssuanceEvent]);
export type InventoryMessage = z.infer<typeof InventoryMessage>;
