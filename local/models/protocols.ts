import { awsJson } from './aws-json.js';
import { awsQuery } from './aws-query.js';
import type { ServiceModel, WireProtocol } from './model.js';
import { restJson } from './rest-json.js';
import { restXml } from './rest-xml.js';
import { rpcCbor } from './rpc-cbor.js';
import type { Protocol, WireRequest } from './wire.js';

const PROTOCOLS: Readonly<Record<WireProtocol, Protocol>> = {
  restJson1: restJson,
  restXml,
  awsJson1_0: awsJson('1.0'),
  awsJson1_1: awsJson('1.1'),
  awsQuery,
  rpcv2Cbor: rpcCbor,
};

/** What the code of an unreadable body is in each protocol. */
const MALFORMED: Readonly<Record<WireProtocol, string>> = {
  restJson1: 'SerializationException',
  restXml: 'MalformedXML',
  awsJson1_0: 'SerializationException',
  awsJson1_1: 'SerializationException',
  awsQuery: 'MalformedQueryString',
  rpcv2Cbor: 'SerializationException',
};

export interface SpokenProtocol {
  readonly protocol: Protocol;
  readonly malformed: string;
}

/** Which of a service's protocols a request speaks, told by its headers; the service's first one when they say nothing. */
export function protocolOf(model: ServiceModel, request: Pick<WireRequest, 'headers' | 'query'>): SpokenProtocol {
  const { headers, query } = request;
  const wanted = ((): WireProtocol | undefined => {
    if (headers['smithy-protocol'] === 'rpc-v2-cbor') return 'rpcv2Cbor';
    if (headers['x-amz-target']) return headers['content-type']?.startsWith('application/x-amz-json-1.1') ? 'awsJson1_1' : 'awsJson1_0';
    const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
    // A query API may be asked by GET too, with everything in the URL.
    if ((isForm || query.has('Action')) && model.protocols.includes('awsQuery')) return 'awsQuery';
    return undefined;
  })();
  const spoken =
    wanted && model.protocols.some((known) => known === wanted || bothJson(known, wanted)) ? wanted : (model.protocols[0] ?? 'restJson1');
  return { protocol: PROTOCOLS[spoken], malformed: MALFORMED[spoken] };
}

/** A client may say 1.0 to a service of 1.1; AWS answers in the version that was asked for. */
const bothJson = (a: WireProtocol, b: WireProtocol): boolean => a.startsWith('awsJson') && b.startsWith('awsJson');
