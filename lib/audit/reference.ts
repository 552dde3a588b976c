/** The table of docs/audit.md, made from the table in domain/fleet: one truth. A test compares the two. */
import { AUDIT_CHECK_NAMES, auditCheck } from '../../domain/fleet/audit-checks.js';

export function auditCheckTable(): string {
  const rows = AUDIT_CHECK_NAMES.map((name) => {
    const { severity, about, response, responses, enabled, alias, advice } = auditCheck(name);
    const others = responses.filter((one) => one !== response).map((one) => `\`${one}\``);
    const names = alias === undefined ? `\`${name}\`` : `\`${name}\` (also \`${alias}\`)`;
    return `| ${names} | ${severity} | ${about} | ${enabled ? 'on' : 'off'} | \`${response}\` | ${others.join(', ')} | ${advice} |`;
  });
  return [
    '| check | severity | about | by default | response | or | what people are told |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}
