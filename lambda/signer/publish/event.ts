export { PublishMessage } from '../../../domain/protocol/signer.js';
