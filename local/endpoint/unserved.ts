/**
 * Refusals for which there is no model: a service that the desk does not have, a request without a signature. The service being unknown, the form is
 * read off the request, so that its client finds the code where it looks for it (Smithy, "AWS protocols"; EC2: "Common errors").
 */
import { cbor } from '@smithy/core/cbor';

import type { AwsError } from '../models/service.js';
import type { WireRequest, WireResponse } from '../models/wire.js';
import { escapeXml } from '../models/xml.js';

/** Signing names of the services that speak restXml: nothing in a request of theirs tells them from restJson1. */
const SPEAK_REST_XML: readonly string[] = ['s3', 's3express', 's3-outposts', 'route53', 'cloudfront'];

/** `service`: the signing name, where there is a signature. */
export function encodeUnserved(
  request: Pick<WireRequest, 'headers' | 'query'>,
  service: string | undefined,
  error: AwsError,
  requestId: string,
): WireResponse {
  const { headers } = request;
  const type = headers['content-type'] ?? '';
  const answer = (contentType: string, body: string | Uint8Array, further: Record<string, string> = {}): WireResponse => ({
    status: error.status,
    headers: { 'content-type': contentType, 'x-amzn-requestid': requestId, ...further },
    body,
  });
  if (headers['smithy-protocol'] === 'rpc-v2-cbor')
    return answer('application/cbor', cbor.serialize({ __type: error.code, message: error.message }), { 'smithy-protocol': 'rpc-v2-cbor' });
  if (headers['x-amz-target'] !== undefined)
    return answer(type || 'application/x-amz-json-1.1', JSON.stringify({ __type: error.code, message: error.message }));
  const words = `<Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message>`;
  if (service === 'ec2')
    return answer('text/xml', `<Response><Errors><Error>${words}</Error></Errors><RequestID>${requestId}</RequestID></Response>`);
  const isQuery = type.startsWith('application/x-www-form-urlencoded') || request.query.has('Action');
  if (isQuery || (service !== undefined && SPEAK_REST_XML.includes(service)))
    return answer(
      'text/xml',
      `<ErrorResponse><Error><Type>Sender</Type>${words}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
    );
  return answer('application/json', JSON.stringify({ message: error.message }), { 'x-amzn-errortype': error.code });
}
