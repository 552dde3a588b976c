/**
 * Functions of AWS IoT SQL (https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-functions.html). Values are JSON values, and
 * `undefined` is AWS's Undefined: most functions give it back when a parameter is of a kind that they cannot convert.
 */
import { createHash, randomUUID } from 'node:crypto';

/** The message that a rule is run on, and where it comes from. */
export interface MessageContext {
  /** The JSON payload, or undefined where it is not JSON. */
  readonly payload: unknown;
  readonly raw: Uint8Array;
  /** As the rule sees it: without the `$aws/rules/<rule>/` of Basic Ingest. */
  readonly topic: string;
  readonly clientId?: string;
  readonly principal?: string;
  readonly sourceIp?: string;
  readonly accountId: string;
  readonly traceId: string;
  readonly nowMs: number;
}

type Evaluate = (parameters: readonly unknown[], message: MessageContext) => unknown;

/** Conversion to String: everything but Undefined has one (objects and arrays as JSON). */
export function toText(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) return undefined;
  return Number(value);
}

const onText =
  (apply: (...texts: string[]) => unknown): Evaluate =>
  (parameters) => {
    const texts = parameters.map(toText);
    return texts.some((text) => text === undefined) ? undefined : apply(...(texts as string[]));
  };

const onNumbers =
  (apply: (...numbers: number[]) => number): Evaluate =>
  (parameters) => {
    const numbers = parameters.map(toNumber);
    if (numbers.some((number) => number === undefined)) return undefined;
    const result = apply(...(numbers as number[]));
    return Number.isFinite(result) ? result : undefined;
  };

function get(parameters: readonly unknown[]): unknown {
  const [value, key] = parameters;
  if (typeof value === 'string' && typeof key === 'number') return value[key];
  if (Array.isArray(value) && typeof key === 'number') return value[key] as unknown;
  if (typeof value === 'object' && value !== null && typeof key === 'string')
    return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  return undefined;
}

function encode(parameters: readonly unknown[], message: MessageContext): unknown {
  if (parameters[1] !== 'base64') return undefined;
  // `encode(*, 'base64')` is the whole payload as it came, also when it is not JSON.
  const bytes = parameters[0] === message.payload ? message.raw : Buffer.from(toText(parameters[0]) ?? '');
  return Buffer.from(bytes).toString('base64');
}

function substring(parameters: readonly unknown[]): unknown {
  const text = toText(parameters[0]);
  const from = toNumber(parameters[1]);
  const to = parameters[2] === undefined ? undefined : toNumber(parameters[2]);
  if (text === undefined || from === undefined || (parameters.length > 2 && to === undefined)) return undefined;
  if (from < 0 || from > text.length || (to !== undefined && to < from)) return '';
  return text.slice(from, to);
}

/** Both may hold more than one value of the same kind; arrays are joined, everything else as text. */
function concat(parameters: readonly unknown[]): unknown {
  if (parameters.length === 0) return undefined;
  if (parameters.length === 1) return parameters[0];
  if (parameters.some(Array.isArray)) return parameters.flatMap((value) => (value === undefined ? [] : value));
  return onText((...texts) => texts.join(''))(parameters, undefined as never);
}

function pattern(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    return undefined;
  }
}

const digest = (algorithm: string): Evaluate => onText((text) => createHash(algorithm).update(text).digest('hex'));

const FUNCTIONS: Readonly<Record<string, Evaluate>> = {
  accountid: (_, message) => message.accountId,
  clientid: (_, message) => message.clientId ?? 'N/A',
  principal: (_, message) => message.principal,
  sourceip: (_, message) => message.sourceIp,
  timestamp: (_, message) => message.nowMs,
  traceid: (_, message) => message.traceId,
  newuuid: () => randomUUID(),
  sql_version: () => '2016-03-23',
  topic: (parameters, message) => {
    if (parameters.length === 0) return message.topic;
    const level = toNumber(parameters[0]);
    return level === undefined ? undefined : message.topic.split('/')[level - 1];
  },
  concat,
  lower: onText((text) => text.toLowerCase()),
  upper: onText((text) => text.toUpperCase()),
  ltrim: onText((text) => text.trimStart()),
  rtrim: onText((text) => text.trimEnd()),
  trim: onText((text) => text.trim()),
  length: onText((text) => text.length),
  numbytes: onText((text) => Buffer.byteLength(text)),
  startswith: onText((text, start = '') => text.startsWith(start)),
  endswith: onText((text, end = '') => text.endsWith(end)),
  indexof: onText((text, part = '') => text.indexOf(part)),
  replace: onText((text, from = '', to = '') => text.replaceAll(from, () => to)),
  regexp_matches: onText((text, expression = '') => pattern(expression)?.test(text)),
  regexp_substr: onText((text, expression = '') => pattern(expression)?.exec(text)?.[0]),
  regexp_replace: onText((text, expression = '', to = '') => text.replaceAll(new RegExp(pattern(expression) ?? /(?!)/, 'g'), () => to)),
  substring,
  isundefined: ([value]) => value === undefined,
  isnull: ([value]) => value === null,
  nanvl: ([value, otherwise]) => (value === undefined || value === null ? otherwise : value),
  get_or_default: ([value, otherwise]) => value ?? otherwise,
  get,
  encode,
  decode: ([value, scheme]) => (scheme === 'base64' && typeof value === 'string' ? Buffer.from(value, 'base64').toString() : undefined),
  abs: onNumbers(Math.abs),
  ceil: onNumbers(Math.ceil),
  floor: onNumbers(Math.floor),
  round: onNumbers(Math.round),
  mod: onNumbers((value, by = 0) => value % by),
  power: onNumbers((value, by = 1) => value ** by),
  sqrt: onNumbers(Math.sqrt),
  sign: onNumbers(Math.sign),
  md5: digest('md5'),
  sha1: digest('sha1'),
  sha256: digest('sha256'),
};

/** `cast` has a syntax of its own and lives in the evaluator. */
export const isFunction = (name: string): boolean => name.toLowerCase() === 'cast' || Object.hasOwn(FUNCTIONS, name.toLowerCase());
export const callFunction = (name: string, parameters: readonly unknown[], message: MessageContext): unknown =>
  FUNCTIONS[name.toLowerCase()]!(parameters, message);
