/**
 * The desk's one HTTP endpoint on loopback, for all services: which service is meant stands in the signature's scope, as on a proxy in front of
 * AWS. From there:  identify → decode → (pipeline: validate → IAM → faults → operation → validate) → encode
 */
import { randomUUID } from 'node:crypto';

import type { World } from '../cloud.js';
import type { DeskIam } from '../iam/desk-iam.js';
import { modelOf } from '../models/catalog.js';
import { routeByHttp } from '../models/http-bindings.js';
import type { ServiceModel } from '../models/model.js';
import { protocolOf } from '../models/protocols.js';
import { AwsError, type AwsService } from '../models/service.js';
import type { WireRequest, WireResponse } from '../models/wire.js';
import { checkDigests, decodeBody, inflate } from './body.js';
import { authenticate } from './caller.js';
import { Listener, type AnyRequest, type AnyResponse } from './listener.js';
import type { Pipeline } from './pipeline.js';
import { readBucket } from './s3-address.js';
import type { ServiceTable } from './service-table.js';
import { readClaim, type SignedRequest } from './signature.js';
import { encodeUnserved } from './unserved.js';

const LARGEST_BODY = 64 * 1024 * 1024;
const HEALTH_PATH = '/_desk/health';

interface Received extends SignedRequest {
  readonly rawBody: Uint8Array;
}

/** Something for a person's browser, beside AWS: read only, without a signature. */
interface Page {
  readonly type: string;
  readonly body: () => string | Promise<string>;
}
/** A page of another site that has its name point at loopback sends that name: only these are asked by a person at this computer. */
const LOOPBACK = /^(127\.0\.0\.1|localhost)(:\d+)?$/;

/** Thrown to cut the connection without an answer. */
class AnswerLost extends Error {}

export class Endpoint {
  private readonly listener: Listener;
  private readonly pages = new Map<string, Page>();

  constructor(
    private readonly world: World,
    private readonly iam: DeskIam,
    private readonly services: ServiceTable,
    private readonly pipeline: Pipeline,
  ) {
    this.listener = new Listener((request, response) => void this.serve(request, response));
  }

  addPage(path: string, page: Page): void {
    this.pages.set(path, page);
  }

  /** Resolves to the port. */
  listen(port: number): Promise<number> {
    return this.listener.listen(port);
  }

  close(): Promise<void> {
    return this.listener.close();
  }

  private async serve(request: AnyRequest, response: AnyResponse): Promise<void> {
    const requestId = randomUUID();
    // A client that went away is no error of the desk.
    response.on('error', () => undefined);
    try {
      const received = await receive(request);
      if (received.path === HEALTH_PATH)
        return this.send(response, { status: 200, headers: { 'content-type': 'application/json' }, body: this.health() });
      const page = received.method === 'GET' && LOOPBACK.test(received.headers.host ?? '') ? this.pages.get(received.path) : undefined;
      if (page) return this.send(response, { status: 200, headers: { 'content-type': page.type }, body: await page.body() });
      this.send(response, await this.answer(received, requestId));
    } catch (error) {
      if (error instanceof AnswerLost || !(error instanceof AwsError)) request.socket.destroy();
      else this.send(response, plainError(error, requestId));
    }
  }

  private async answer(received: Received, requestId: string): Promise<WireResponse> {
    const claim = readClaim(received);
    if (claim?.service === '')
      throw new AwsError(
        'IncompleteSignature',
        "Credential: expected '<key>/<day>/<region>/<service>/aws4_request' in the authorization",
        400,
      );
    const service = claim ? this.services.signedAs(claim.service) : await this.unsigned(received);
    if (!service || isS3Control(received)) {
      const error = !claim
        ? new AwsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403)
        : isS3Control(received)
          ? S3_CONTROL_REFUSED
          : new AwsError('NotImplemented', `The desk does not serve ${claim.service}.`, 501);
      const answer = encodeUnserved(received, claim?.service, error, requestId);
      return received.method === 'HEAD' ? { ...answer, body: '' } : answer;
    }
    const model = await modelOf(service.name);
    const { protocol, malformed } = protocolOf(model, received);
    try {
      if (!claim) throw unsignedError(model);
      const dialect = service.name === 's3' ? 's3' : model.protocols.includes('awsQuery') ? 'query' : 'json';
      const principal = authenticate(this.world, this.iam, received, received.rawBody, claim, dialect);
      const wire = wireRequest(received, service);
      const operation = protocol.route(model, wire);
      if (!operation) throw unknownOperation(model, wire);
      const input = this.decode(() => protocol.decode(model, operation, wire), malformed);
      const { output, answerLost } = await this.pipeline.perform(model, operation, input, principal, requestId);
      if (answerLost) throw new AnswerLost();
      return protocol.encode(model, operation, output, requestId);
    } catch (error) {
      if (error instanceof AnswerLost) throw error;
      const answer = protocol.encodeError(model, error instanceof AwsError ? error : internal(model, error), requestId);
      return received.method === 'HEAD' ? { ...answer, body: '' } : answer;
    }
  }

  private decode(read: () => Record<string, unknown>, malformed: string): Record<string, unknown> {
    try {
      return read();
    } catch (error) {
      if (error instanceof URIError) throw new AwsError('InvalidURI', "Couldn't parse the specified URI.", 400);
      if (error instanceof SyntaxError) throw new AwsError(malformed, error.message, 400);
      throw error;
    }
  }

  /** Nothing without a signature is served; what else stands in the request still tells which service is meant, and so the error form. */
  private async unsigned(received: Received): Promise<AwsService | undefined> {
    if (received.headers['content-type']?.startsWith('application/x-www-form-urlencoded') || received.query.has('Action')) return undefined;
    const target = received.headers['x-amz-target']?.split('.')[0] ?? /^\/service\/([^/]+)\/operation\//.exec(received.path)?.[1];
    for (const service of this.services.all()) {
      const model = await modelOf(service.name);
      if (target !== undefined ? model.target === target : model.protocols[0] === 'restJson1' && routeByHttp(model, unread(received)))
        return service;
    }
    return target === undefined ? this.services.named('s3') : undefined;
  }

  private health(): string {
    return JSON.stringify({
      status: 'ok',
      time: this.world.clock.date().toISOString(),
      seed: this.world.faults.seed,
      services: this.services.all().map((service) => service.name),
    });
  }

  private send(response: AnyResponse, answer: WireResponse): void {
    response.writeHead(answer.status, { date: this.world.clock.date().toUTCString(), ...withLength(answer) });
    if (typeof answer.body === 'string' || answer.body instanceof Uint8Array) response.end(answer.body);
    else void pump(answer.body, response);
  }
}

async function receive(request: AnyRequest): Promise<Received> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LARGEST_BODY)
      throw new AwsError('EntityTooLarge', `Your proposed upload exceeds the desk's maximum of ${LARGEST_BODY} bytes`, 413);
    chunks.push(chunk);
  }
  // A server must take the absolute form too, as clients send it to a proxy (RFC 9112 §3.2.2).
  const target = (request.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '');
  const [path = '/', search = ''] = (target.startsWith('/') ? target : `/${target}`).split(/\?(.*)/s);
  // HTTP/2 says the host in a header of its own (RFC 9113 §8.3.1); the JavaScript SDK signs it by that name.
  const authority = request.headers[':authority'];
  const headers = Object.fromEntries(
    Object.entries({ ...(typeof authority === 'string' ? { host: authority } : {}), ...request.headers }).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(',') : value,
    ]),
  );
  return { method: request.method ?? 'GET', path, query: new URLSearchParams(search), headers, rawBody: Buffer.concat(chunks) };
}

const unread = ({ method, path, query, headers }: Received): WireRequest => ({ method, path, query, headers, body: new Uint8Array() });

function unsignedError(model: ServiceModel): AwsError {
  const [code, status] = model.words.accessDenied;
  return model.name === 's3'
    ? new AwsError(code, 'Access Denied', status)
    : new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token', status);
}

/** As in the regions where S3 Control manages no tags: terraform then asks S3 itself (GetBucketTagging). */
const S3_CONTROL_REFUSED = new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405);
/** Signed as S3, but another service: its paths begin with a version, and the account travels in a header. */
const isS3Control = ({ path, headers }: SignedRequest): boolean =>
  path.startsWith('/v20180820/') && headers['x-amz-account-id'] !== undefined;

function wireRequest(received: Received, service: AwsService): WireRequest {
  const { body, headers } = decodeBody(received.rawBody, received.headers);
  const common = { method: received.method, query: received.query, headers };
  if (service.name !== 's3') return { ...common, path: received.path, body: inflate(body, headers) };
  checkDigests(body, headers);
  return { ...common, ...readBucket(received.path, headers['host'] ?? ''), body };
}

function unknownOperation(model: ServiceModel, request: WireRequest): AwsError {
  const asked = request.headers['x-amz-target'] ?? `${request.method} ${request.path}`;
  if (model.protocols[0] === 'restXml')
    return new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405);
  if (model.protocols[0] === 'awsQuery')
    return new AwsError('InvalidAction', `The action is not valid for this web service: ${asked}`, 400);
  return new AwsError('UnknownOperationException', `Unknown operation: ${asked}`, 404);
}

/** A defect of the desk: the journal has the stack, the terminal too, so that no test passes over it. */
function internal(model: ServiceModel, error: unknown): AwsError {
  console.error(`desk: ${model.name}:`, error);
  return new AwsError('InternalFailure', error instanceof Error ? error.message : String(error), 500);
}

const plainError = (error: AwsError, requestId: string): WireResponse => ({
  status: error.status,
  headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId, 'x-amzn-errortype': error.code },
  body: JSON.stringify({ __type: error.code, message: error.message }),
});

function withLength(answer: WireResponse): Record<string, string> {
  if ('content-length' in answer.headers || answer.status === 204 || answer.status === 304) return answer.headers;
  if (typeof answer.body === 'string') return { ...answer.headers, 'content-length': String(Buffer.byteLength(answer.body)) };
  return answer.body instanceof Uint8Array ? { ...answer.headers, 'content-length': String(answer.body.length) } : answer.headers;
}

async function pump(body: AsyncIterable<Uint8Array>, response: AnyResponse): Promise<void> {
  try {
    for await (const chunk of body) {
      if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end();
  } catch (error) {
    response.destroy(error instanceof Error ? error : undefined);
  }
}
