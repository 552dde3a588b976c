/** What restJson1 and restXml share: which operation a method, a path and a query mean, and the members that travel outside the body. */
import type { NormalizedSchema } from '@smithy/core/schema';

import { requiredMembers, type OperationModel, type ServiceModel } from './model.js';
import { readText, writeText } from './simple.js';
import type { WireRequest } from './wire.js';

interface Route {
  readonly operation: OperationModel;
  readonly pattern: RegExp;
  readonly labels: readonly string[];
  readonly literalLength: number;
  /** Wire names of required members that must be there for this operation to be meant (UploadPart beside PutObject). */
  readonly requiredQuery: readonly string[];
  readonly requiredHeaders: readonly string[];
  readonly needsBucket: boolean;
}

const routesOf = new WeakMap<ServiceModel, readonly Route[]>();

function routes(model: ServiceModel): readonly Route[] {
  const known = routesOf.get(model);
  if (known) return known;
  const built = [...model.operations.values()].flatMap((operation) => (operation.http ? [route(operation, operation.http.path)] : []));
  routesOf.set(model, built);
  return built;
}

function route(operation: OperationModel, path: string): Route {
  const labels: string[] = [];
  const source = path
    .split(/(\{[^}]+\})/)
    .map((piece) => {
      if (!piece.startsWith('{')) return piece.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
      const greedy = piece.endsWith('+}');
      labels.push(piece.slice(1, greedy ? -2 : -1));
      return greedy ? '(.+)' : '([^/]+)';
    })
    .join('');
  const members = operation.input.isStructSchema() ? operation.input.getMemberSchemas() : {};
  const required = operation.input.isStructSchema() ? requiredMembers(operation.input) : [];
  const wire = (trait: 'httpQuery' | 'httpHeader'): string[] =>
    required.flatMap((name) => {
      const key = members[name]?.getMergedTraits()[trait];
      return typeof key === 'string' ? [key] : [];
    });
  return {
    operation,
    pattern: new RegExp(`^${source}/?$`),
    labels,
    literalLength: path.replace(/\{[^}]+\}/g, '').length,
    requiredQuery: wire('httpQuery'),
    requiredHeaders: wire('httpHeader').map((name) => name.toLowerCase()),
    needsBucket: 'Bucket' in members && members['Bucket']?.getMergedTraits().httpLabel !== undefined,
  };
}

/** The most specific operation that fits: `PUT /key?partNumber&uploadId` is UploadPart, the same without the query PutObject. */
export function routeByHttp(model: ServiceModel, request: WireRequest): OperationModel | undefined {
  const isS3 = model.protocols.includes('restXml');
  const fitting = routes(model)
    .filter(
      (candidate) =>
        candidate.operation.http?.method === request.method &&
        candidate.pattern.test(request.path) &&
        (!isS3 || candidate.needsBucket === (request.bucket !== undefined)) &&
        (candidate.operation.http?.query ?? []).every(
          ([name, value]) => request.query.has(name) && (value === undefined || request.query.get(name) === value),
        ) &&
        (!isS3 || candidate.requiredQuery.every((name) => request.query.has(name))) &&
        (!isS3 || candidate.requiredHeaders.every((name) => request.headers[name] !== undefined)),
    )
    .map((candidate) => ({ candidate, score: score(candidate, isS3) }));
  const marked = fitting.find(({ candidate }) => candidate.operation.name === request.query.get('x-id'));
  fitting.sort((a, b) => b.score - a.score || a.candidate.operation.name.localeCompare(b.candidate.operation.name));
  return (marked ?? fitting[0])?.candidate.operation;
}

/** Literal path first, then what selects by query and header. */
const score = (candidate: Route, isS3: boolean): number =>
  candidate.literalLength * 100 +
  (candidate.operation.http?.query.length ?? 0) * 10 +
  (isS3 ? candidate.requiredQuery.length * 10 + candidate.requiredHeaders.length : 0);

/** Members from path, query and headers. Wire names of query and headers which no member claims are ignored, as HTTP does. */
export function readBindings(model: ServiceModel, operation: OperationModel, request: WireRequest): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  if (!operation.input.isStructSchema()) return input;
  const labels = labelValues(model, operation, request);
  for (const [name, member] of operation.input.structIterator()) {
    const traits = member.getMergedTraits();
    if (traits.httpLabel) {
      const label = labels[name];
      if (label !== undefined) input[name] = readText(member, label);
    } else if (traits.httpQuery) {
      const values = request.query.getAll(traits.httpQuery);
      if (values.length > 0)
        input[name] = member.isListSchema()
          ? values.map((value) => readText(member.getValueSchema(), value))
          : readText(member, values[0] ?? '');
    } else if (traits.httpQueryParams) {
      input[name] = Object.fromEntries(request.query);
    } else if (traits.httpHeader) {
      const value = request.headers[traits.httpHeader.toLowerCase()];
      if (value !== undefined) input[name] = readHeader(member, value);
    } else if (traits.httpPrefixHeaders) {
      input[name] = readPrefixHeaders(traits.httpPrefixHeaders, request.headers);
    }
  }
  return input;
}

function labelValues(model: ServiceModel, operation: OperationModel, request: WireRequest): Readonly<Record<string, string>> {
  const found = routes(model).find((candidate) => candidate.operation === operation);
  const match = found?.pattern.exec(request.path);
  const values = Object.fromEntries((found?.labels ?? []).map((label, index) => [label, decodeURIComponent(match?.[index + 1] ?? '')]));
  return request.bucket === undefined ? values : { ...values, Bucket: request.bucket };
}

function readHeader(member: NormalizedSchema, text: string): unknown {
  if (member.isListSchema()) return text.split(',').map((item) => readText(member.getValueSchema(), item.trim()));
  const media = member.getMergedTraits().mediaType;
  // A string with a media type travels as base64 in a header (Smithy, mediaType trait).
  if (media && member.isStringSchema()) return Buffer.from(text, 'base64').toString('utf8');
  return readText(member, text);
}

function readPrefixHeaders(prefix: string, headers: WireRequest['headers']): Record<string, string> {
  const lower = prefix.toLowerCase();
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && name.startsWith(lower)) found[name.slice(lower.length)] = value;
  return found;
}

/** Headers and status of an answer; the rest of the members is the body's. */
export function writeBindings(
  operation: OperationModel,
  output: Readonly<Record<string, unknown>>,
): { headers: Record<string, string>; status: number } {
  const headers: Record<string, string> = {};
  let status = operation.http?.status ?? 200;
  if (!operation.output.isStructSchema()) return { headers, status };
  for (const [name, member] of operation.output.structIterator()) {
    const traits = member.getMergedTraits();
    const value = output[name];
    if (value === undefined || value === null) continue;
    if (traits.httpResponseCode) status = value as number;
    else if (traits.httpHeader) headers[traits.httpHeader.toLowerCase()] = writeHeader(member, value);
    else if (traits.httpPrefixHeaders)
      for (const [key, text] of Object.entries(value)) headers[(traits.httpPrefixHeaders + key).toLowerCase()] = String(text);
  }
  // A part of an object (RFC 9110 §15.3.7): no model says so, S3 does.
  if (headers['content-range'] !== undefined) status = 206;
  return { headers, status };
}

function writeHeader(member: NormalizedSchema, value: unknown): string {
  if (member.isListSchema()) return (value as unknown[]).map((item) => writeText(member.getValueSchema(), item, 'http-date')).join(', ');
  if (member.getMergedTraits().mediaType && member.isStringSchema()) return Buffer.from(value as string, 'utf8').toString('base64');
  return writeText(member, value, 'http-date');
}

/** The member that is the whole body, if there is one. */
export function payloadMember(schema: NormalizedSchema): readonly [string, NormalizedSchema] | undefined {
  if (!schema.isStructSchema()) return undefined;
  for (const [name, member] of schema.structIterator()) if (member.getMergedTraits().httpPayload) return [name, member];
  return undefined;
}

/** Members that travel in the body next to each other. */
export function bodyMembers(schema: NormalizedSchema): readonly (readonly [string, NormalizedSchema])[] {
  if (!schema.isStructSchema()) return [];
  return [...schema.structIterator()].filter(([, member]) => {
    const traits = member.getMergedTraits();
    return !(
      traits.httpLabel ||
      traits.httpQuery ||
      traits.httpQueryParams ||
      traits.httpHeader ||
      traits.httpPrefixHeaders ||
      traits.httpPayload ||
      traits.httpResponseCode
    );
  });
}
