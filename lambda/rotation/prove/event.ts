/** What reaches this function: a device's proof, passed on by a topic rule. One list for the rule and the receiver. */
export { RotationProofEvent } from '../../../domain/protocol/rotation-events.js';
