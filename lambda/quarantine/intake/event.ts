export { IntakeMessage } from '../../../domain/protocol/containment.js';
