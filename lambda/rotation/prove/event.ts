/** What reaches this function: a device's proof, passed on by a topic rule, and connections with a new certificate. One list for both ends. */
export { ProveMessage } from '../../../domain/protocol/rotation-events.js';
