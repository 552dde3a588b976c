/**
 * What an execution carries to the device: a static payload as it is, or a template with its placeholders filled in
 * (iot-remote-command-create-manage.html, "Payload template").
 */
import { COMMAND_LIMITS } from '../../../world/quotas.js';
import { notServed } from '../errors.js';
import type { Command, ParameterValue } from './command.js';
import { invalid } from './errors.js';
import { checkParameters, resolveParameters, textOf } from './parameters.js';

type Payload = Pick<Command, 'payload' | 'payloadTemplate' | 'preprocessor' | 'mandatoryParameters'>;
type Values = Readonly<Record<string, ParameterValue>>;
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const PLACEHOLDER = /\$\{aws:iot:commandexecution::(?:parameter:([^}]+)|(executionTimeoutSec))\}/g;
/** Where no content type is given (iot-remote-command-create-manage.html, "Static command payload format"). */
const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

interface Given extends Omit<Payload, 'payload'> {
  readonly payload?: { readonly content?: Uint8Array; readonly contentType?: string };
}

/** Exactly one of payload and template. Throws ValidationException. */
export function checkPayload({ payload, payloadTemplate, preprocessor, mandatoryParameters }: Given): Payload {
  if ((payload === undefined) === (payloadTemplate === undefined))
    throw invalid('A command of the namespace AWS-IoT needs a payload or a payloadTemplate, and not both');
  if (payload !== undefined) {
    if (preprocessor !== undefined || mandatoryParameters?.length)
      throw invalid('preprocessor and mandatoryParameters belong to a payloadTemplate');
    return { payload: staticPayload(payload) };
  }
  const format = preprocessor?.awsJsonSubstitution?.outputFormat;
  if (format === undefined) throw invalid('A payloadTemplate needs the preprocessor awsJsonSubstitution');
  if (format !== 'JSON') throw notServed(`the output format ${format} of a command`);
  const parameters = mandatoryParameters ?? [];
  checkParameters(parameters);
  checkTemplate(payloadTemplate!, new Set(parameters.map(({ name }) => name)));
  return { payloadTemplate: payloadTemplate!, preprocessor: preprocessor!, mandatoryParameters: parameters };
}

function staticPayload({ content, contentType = DEFAULT_CONTENT_TYPE }: NonNullable<Given['payload']>): NonNullable<Command['payload']> {
  if (content === undefined || content.length === 0) throw invalid('The payload has no content');
  if (content.length > COMMAND_LIMITS.payloadBytes)
    throw invalid(`The payload has ${content.length} bytes, at most ${COMMAND_LIMITS.payloadBytes} are allowed`);
  if (!/^[\w.+-]+\/[\w.+-]+$/.test(contentType)) throw invalid(`Invalid contentType: ${contentType.slice(0, 100)}, expected type/subtype`);
  return { content, contentType };
}

function checkTemplate(template: string, names: ReadonlySet<string>): void {
  if (Buffer.byteLength(template) > COMMAND_LIMITS.payloadBytes)
    throw invalid(`The payloadTemplate has more than ${COMMAND_LIMITS.payloadBytes} bytes`);
  parse(template);
  const found = [...template.matchAll(PLACEHOLDER)];
  if (found.length === 0) throw invalid('The payloadTemplate has no placeholder');
  for (const [, name] of found)
    if (name !== undefined && !names.has(name)) throw invalid(`The payloadTemplate names ${name}, which is no mandatory parameter`);
  if (template.replace(PLACEHOLDER, '').includes('${aws:')) throw invalid('The payloadTemplate has a placeholder of an unknown kind');
}

function parse(template: string): Json {
  try {
    return JSON.parse(template) as Json;
  } catch {
    throw invalid('The payloadTemplate is not JSON');
  }
}

/** `topicSuffix`: the last level of the request topic, by the content type. */
export interface Rendered {
  readonly content: Uint8Array;
  readonly contentType: string;
  readonly topicSuffix: '' | '/json' | '/cbor';
  /** All values of a dynamic command; of a static one, none. */
  readonly parameters?: Values;
}

/** Throws ValidationException where parameters are missing, unknown or do not meet their conditions. */
export function render(command: Command, given: Values | undefined, executionTimeoutSeconds: number): Rendered {
  if (command.payload) {
    if (given && Object.keys(given).length > 0) throw invalid(`Command ${command.commandId} has no parameters`);
    const { content, contentType } = command.payload;
    return { content, contentType, topicSuffix: SUFFIX_OF[contentType] ?? '' };
  }
  const parameters = resolveParameters(command.mandatoryParameters ?? [], given ?? {});
  const filled = fill(parse(command.payloadTemplate!), parameters, executionTimeoutSeconds);
  return { content: Buffer.from(JSON.stringify(filled)), contentType: 'application/json', topicSuffix: '/json', parameters };
}

const SUFFIX_OF: Readonly<Record<string, Rendered['topicSuffix']>> = { 'application/json': '/json', 'application/cbor': '/cbor' };

/** No page says whether a number stands in the result with quotes: here a text that is one placeholder becomes a value of the parameter's type. */
function fill(json: Json, values: Values, timeoutSeconds: number): Json {
  if (typeof json === 'string') {
    const [whole] = json.matchAll(PLACEHOLDER);
    if (whole?.[0] === json) return whole[1] === undefined ? timeoutSeconds : typed(values[whole[1]]!);
    return json.replace(PLACEHOLDER, (_, name: string | undefined) =>
      name === undefined ? String(timeoutSeconds) : textOf(values[name]!),
    );
  }
  if (Array.isArray(json)) return json.map((item: Json) => fill(item, values, timeoutSeconds));
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([key, item]) => [key, fill(item as Json, values, timeoutSeconds)]));
}

const typed = (value: ParameterValue): Json => value.B ?? value.I ?? value.L ?? value.D ?? textOf(value);
