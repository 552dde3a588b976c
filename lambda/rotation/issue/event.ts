/** What reaches this function: a device's request, passed on by a topic rule. One list for the rule and the receiver. */
export { RotationRequestEvent } from '../../../domain/protocol/rotation-events.js';
