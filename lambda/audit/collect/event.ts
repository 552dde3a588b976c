export { AuditMessage } from '../../../domain/protocol/audit.js';
