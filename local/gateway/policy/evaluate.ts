/**
 * Decides one action of a connection by AWS IoT policies: an explicit Deny wins, nothing is allowed by default
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html). Fails closed: a statement that cannot be understood allows nothing.
 */
import type { PolicyDocument, PolicyStatement } from '../../iam/principal.js';
import { conditionsHold } from './conditions.js';
import type { Variables } from './variables.js';
import { join, literal, matches, pattern, type Pattern } from './wildcard.js';

export type IotAction = 'iot:Connect' | 'iot:Publish' | 'iot:Subscribe' | 'iot:Receive' | 'iot:RetainPublish';

/** Fixed values that stand for characters with a meaning: `${*}`, `${?}`, `${$}` (iot-policy-variables.html). */
const FIXED: Readonly<Record<string, string>> = { '*': '*', '?': '?', $: '$' };

/**
 * Fills variables into a text. The values are literal: a thing called `*` must not become a wildcard.
 * `undefined`: a variable does not resolve; AWS leaves the text `${…}` standing, which matches nothing real.
 */
function substitute(text: string, variables: Variables): { readonly text: string; readonly pattern: Pattern } | undefined {
  if (!text.includes('${')) return { text, pattern: pattern(text) };
  const patterns: Pattern[] = [];
  let filled = '';
  let at = 0;
  for (const match of text.matchAll(/\$\{([^}]*)\}/g)) {
    const value = FIXED[match[1]!] ?? variables(match[1]!)?.[0];
    if (value === undefined) return undefined;
    const before = text.slice(at, match.index);
    patterns.push(pattern(before), literal(value));
    filled += before + value;
    at = match.index + match[0].length;
  }
  patterns.push(pattern(text.slice(at)));
  return { text: filled + text.slice(at), pattern: join(patterns) };
}

const list = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

function applies(statement: PolicyStatement, action: IotAction, resource: string, variables: Variables): boolean {
  // An element that AWS IoT does not have makes the statement unintelligible; policy-document.ts refuses it at creation.
  if (statement.NotAction !== undefined || statement.NotResource !== undefined || statement.Principal !== undefined)
    return statement.Effect === 'Deny';
  const lower = action.toLowerCase();
  if (!list(statement.Action).some((wanted) => matches(pattern(wanted.toLowerCase()), lower))) return false;
  const hit = list(statement.Resource).some((wanted) => {
    const filled = substitute(wanted, variables);
    return filled !== undefined && matches(filled.pattern, resource);
  });
  return hit && conditionsHold(statement.Condition, variables, (text) => substitute(text, variables));
}

export type PolicyDecision =
  { readonly allowed: true } | { readonly allowed: false; readonly why: 'explicit deny' | 'no statement allows it' };

export function decide(policies: readonly PolicyDocument[], action: IotAction, resource: string, variables: Variables): PolicyDecision {
  let allowed = false;
  for (const document of policies) {
    for (const statement of Array.isArray(document.Statement)
      ? (document.Statement as readonly PolicyStatement[])
      : [document.Statement as PolicyStatement]) {
      if (statement.Effect === 'Allow' && allowed) continue;
      if (!applies(statement, action, resource, variables)) continue;
      if (statement.Effect === 'Deny') return { allowed: false, why: 'explicit deny' };
      allowed = true;
    }
  }
  return allowed ? { allowed } : { allowed: false, why: 'no statement allows it' };
}
