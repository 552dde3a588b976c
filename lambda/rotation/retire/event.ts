export { RetireMessage } from '../../../domain/protocol/rotation-work.js';
