/** Policy documents, read once and strictly: an element that is not understood is an error at load, never ignored. */
import { holds, parseCondition, type Condition } from './condition.js';
import { matchesArn, matchesPattern } from './pattern.js';
import type { PolicyDocument, PolicyStatement } from './principal.js';
import { substitute, type RequestContext } from './variables.js';

export type PolicyKind = 'identity' | 'resource' | 'trust';

/** Patterns of principals by kind: `AWS`, `Service`, `Federated`; `*` stands for anybody. */
export type PrincipalPatterns = ReadonlyMap<string, readonly string[]>;

export interface Statement {
  readonly sid: string;
  readonly effect: 'Allow' | 'Deny';
  readonly principals?: PrincipalPatterns;
  readonly notPrincipals?: PrincipalPatterns;
  readonly version: string | undefined;
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly resources: readonly string[];
  readonly notResources: readonly string[];
  readonly conditions: readonly Condition[];
}

const ELEMENTS = new Set(['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition']);
const parsed = new WeakMap<PolicyDocument, Map<PolicyKind, readonly Statement[]>>();

/** Throws where a document does not follow the grammar of the policy language, or uses what the desk does not know. */
export function parsePolicy(document: PolicyDocument, kind: PolicyKind): readonly Statement[] {
  const known = parsed.get(document)?.get(kind);
  if (known) return known;
  for (const element of Object.keys(document)) {
    if (!['Version', 'Id', 'Statement'].includes(element))
      throw new Error(`policy document: got element '${element}', expected Version, Id and Statement`);
  }
  if (document.Version !== undefined && !['2012-10-17', '2008-10-17'].includes(document.Version)) {
    throw new Error(`policy version: got '${document.Version}', expected 2012-10-17`);
  }
  const statements = (Array.isArray(document.Statement) ? document.Statement : [document.Statement]) as readonly PolicyStatement[];
  const result = statements.map((statement, index) => parseStatement(statement, index, document.Version, kind));
  const byKind = parsed.get(document) ?? new Map<PolicyKind, readonly Statement[]>();
  byKind.set(kind, result);
  parsed.set(document, byKind);
  return result;
}

/** A document as somebody sends it. Throws for what is no JSON and for what parsePolicy does not take: kept unread, it would only fail whoever comes next. */
export function readPolicy(text: string | undefined, kind: PolicyKind): PolicyDocument {
  const document: unknown = JSON.parse(text ?? '');
  if (document === null || typeof document !== 'object' || !('Statement' in document))
    throw new Error('policy document: it has no Statement');
  parsePolicy(document as PolicyDocument, kind);
  return document as PolicyDocument;
}

function parseStatement(statement: PolicyStatement, index: number, version: string | undefined, kind: PolicyKind): Statement {
  const where = `statement ${statement.Sid ?? index}`;
  for (const element of Object.keys(statement)) if (!ELEMENTS.has(element)) throw new Error(`${where}: unknown element '${element}'`);
  if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny')
    throw new Error(`${where}: Effect: got '${String(statement.Effect)}', expected Allow or Deny`);
  const exactlyOne = (a: unknown, b: unknown, names: string): void => {
    if ((a === undefined) === (b === undefined)) throw new Error(`${where}: expected exactly one of ${names}`);
  };
  exactlyOne(statement.Action, statement.NotAction, 'Action and NotAction');
  if (kind !== 'trust') exactlyOne(statement.Resource, statement.NotResource, 'Resource and NotResource');
  if (kind === 'identity' && (statement.Principal !== undefined || statement.NotPrincipal !== undefined))
    throw new Error(`${where}: an identity policy has no Principal`);
  if (kind !== 'identity') exactlyOne(statement.Principal, statement.NotPrincipal, 'Principal and NotPrincipal');
  const conditions = Object.entries(statement.Condition ?? {}).flatMap(([operator, block]) =>
    Object.entries(block).map(([key, values]) => parseCondition(operator, key, list(values).map(String))),
  );
  return {
    sid: statement.Sid ?? String(index),
    effect: statement.Effect,
    ...(statement.Principal === undefined ? {} : { principals: parsePrincipal(statement.Principal, where) }),
    ...(statement.NotPrincipal === undefined ? {} : { notPrincipals: parsePrincipal(statement.NotPrincipal, where) }),
    version,
    actions: list(statement.Action),
    notActions: list(statement.NotAction),
    resources: list(statement.Resource),
    notResources: list(statement.NotResource),
    conditions,
  };
}

function parsePrincipal(principal: unknown, where: string): PrincipalPatterns {
  if (principal === '*') return new Map([['*', ['*']]]);
  if (typeof principal !== 'object' || principal === null)
    throw new Error(`${where}: Principal: got ${JSON.stringify(principal)}, expected '*' or a map`);
  const entries = Object.entries(principal as Record<string, string | readonly string[]>);
  for (const [name] of entries) {
    if (!['AWS', 'Service', 'Federated'].includes(name))
      throw new Error(`${where}: Principal: got '${name}', expected AWS, Service or Federated`);
  }
  return new Map(entries.map(([name, values]) => [name, list(values)]));
}

function list<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** Whether action, resource and conditions of a statement fit; its principal is the caller's affair. */
export function appliesTo(statement: Statement, action: string, resource: string, context: RequestContext): boolean {
  const fitsAction = (pattern: string): boolean => matchesPattern(pattern, action, { ignoreCase: true });
  if (statement.actions.length > 0 ? !statement.actions.some(fitsAction) : statement.notActions.some(fitsAction)) return false;
  const fitsResource = (pattern: string): boolean => {
    const text = substitute(pattern, context, statement.version);
    return text !== undefined && (text === resource || matchesArn(text, resource));
  };
  if (statement.resources.length > 0 && !statement.resources.some(fitsResource)) return false;
  if (statement.notResources.length > 0 && statement.notResources.some(fitsResource)) return false;
  return statement.conditions.every((condition) => holds(condition, context, statement.version));
}
