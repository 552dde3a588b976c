/** What reaches this function: see RevokeMessage. One list for the sender (sync, fast, sweep) and the receiver. */
export { RevokeMessage } from '../../../domain/protocol/revocation.js';
