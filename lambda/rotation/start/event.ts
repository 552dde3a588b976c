export { StartMessage } from '../../../domain/protocol/rotation-work.js';
