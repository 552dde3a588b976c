/** What a target receives: the whole event, a constant, a part of it (InputPath), or a transformed text (InputTransformer). */
import { AwsError } from '../../models/service.js';

export interface TargetInput {
  readonly Input?: string;
  readonly InputPath?: string;
  readonly InputTransformer?: { readonly InputPathsMap?: Readonly<Record<string, string>>; readonly InputTemplate: string };
}

/** An event as EventBridge delivers it. */
export interface DeliveredEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

export interface RuleName {
  readonly name: string;
  readonly arn: string;
}

/** Refuses what would fail at every delivery. */
export function checkInput(target: TargetInput): void {
  const given = [target.Input, target.InputPath, target.InputTransformer].filter((value) => value !== undefined);
  if (given.length > 1)
    throw new AwsError('ValidationException', 'Only one of Input, InputPath, or InputTransformer must be provided for a target.');
  if (target.Input !== undefined) {
    try {
      JSON.parse(target.Input);
    } catch {
      throw new AwsError('ValidationException', 'JSON syntax error in input for target.');
    }
  }
  for (const path of [target.InputPath ?? '$', ...Object.values(target.InputTransformer?.InputPathsMap ?? {})]) segments(path);
}

/** The text for text targets (queues, topics, logs) and the value for functions are the same JSON. */
export function inputText(target: TargetInput, event: DeliveredEvent, rule: RuleName): string {
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath !== undefined) return JSON.stringify(at(event, target.InputPath) ?? null);
  if (target.InputTransformer)
    return transform(target.InputTransformer.InputTemplate, target.InputTransformer.InputPathsMap ?? {}, event, rule);
  return JSON.stringify(event);
}

/** `$.detail.object.key`, `$.resources[0]`, `$.detail["a b"]`: the part of JSONPath that EventBridge takes. */
function segments(path: string): (string | number)[] {
  if (!/^\$(\.[\w-]+|\[\d+\]|\["[^"]+"\]|\['[^']+'\])*$/.test(path)) throw new AwsError('ValidationException', `Invalid JSONPath ${path}.`);
  return [...path.matchAll(/\.([\w-]+)|\[(\d+)\]|\["([^"]+)"\]|\['([^']+)'\]/g)].map((match) =>
    match[2] === undefined ? (match[1] ?? match[3] ?? match[4])! : Number(match[2]),
  );
}

function at(event: unknown, path: string): unknown {
  return segments(path).reduce<unknown>(
    (value, key) => (value !== null && typeof value === 'object' ? (value as Record<string | number, unknown>)[key] : undefined),
    event,
  );
}

/**
 * `<name>` outside quotes becomes JSON, inside quotes its text (EventBridge user guide, "Input transformation"). A path that finds nothing
 * leaves nothing.
 */
function transform(template: string, paths: Readonly<Record<string, string>>, event: DeliveredEvent, rule: RuleName): string {
  const predefined: Readonly<Record<string, unknown>> = {
    'aws.events.rule-arn': rule.arn,
    'aws.events.rule-name': rule.name,
    'aws.events.event.ingestion-time': event.time,
    'aws.events.event': withoutDetail(event),
    'aws.events.event.json': event,
  };
  let quoted = false;
  return template.replace(/\\.|"|<([\w.-]+)>/g, (token, name: string | undefined) => {
    if (token === '"') quoted = !quoted;
    if (name === undefined) return token;
    const path = paths[name];
    if (path === undefined && !(name in predefined)) return token;
    const value = path === undefined ? predefined[name] : at(event, path);
    if (value === undefined) return '';
    if (!quoted) return JSON.stringify(value);
    return typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : JSON.stringify(value).replaceAll('"', '\\"');
  });
}

function withoutDetail(event: DeliveredEvent): Omit<DeliveredEvent, 'detail'> {
  const { detail: _detail, ...rest } = event;
  return rest;
}
