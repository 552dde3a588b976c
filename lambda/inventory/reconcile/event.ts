export { ReconcileMessage } from '../../../domain/protocol/inventory-events.js';
