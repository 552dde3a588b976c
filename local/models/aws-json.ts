/** awsJson 1.0 and 1.1: POST /, the operation in X-Amz-Target, everything else in the JSON body. */
import { readJson, writeJson } from './json.js';
import type { ServiceModel } from './model.js';
import type { AwsError } from './service.js';
import type { Protocol } from './wire.js';

const NAMES = { jsonNames: false };

/** `AWS.SimpleQueueService.NonExistentQueue;Sender`: what clients of the older query protocol expect as the code. */
function queryError(model: ServiceModel, error: AwsError): Record<string, string> {
  const trait = model.errors.get(error.code)?.getMergedTraits().awsQueryError as readonly [string, number] | undefined;
  if (!model.protocols.includes('awsQuery')) return {};
  return { 'x-amzn-query-error': `${trait?.[0] ?? error.code};${error.status >= 500 ? 'Receiver' : 'Sender'}` };
}

export const awsJson = (version: '1.0' | '1.1'): Protocol => ({
  route(model, request) {
    const [prefix, name] = (request.headers['x-amz-target'] ?? '').split('.');
    return prefix === model.target && name ? model.operations.get(name) : undefined;
  },
  decode(_model, operation, request) {
    const text = Buffer.from(request.body).toString('utf8');
    return (readJson(operation.input, text ? JSON.parse(text) : {}, NAMES) ?? {}) as Record<string, unknown>;
  },
  encode(_model, operation, output, requestId) {
    const body = operation.output.isUnitSchema() ? '' : JSON.stringify(writeJson(operation.output, output, NAMES));
    return { status: 200, headers: { 'content-type': `application/x-amz-json-${version}`, 'x-amzn-requestid': requestId }, body };
  },
  encodeError(model, error, requestId) {
    const schema = model.errors.get(error.code);
    const members = schema ? (writeJson(schema, { ...error.extra }, NAMES) as Record<string, unknown>) : {};
    // Some shapes spell the member `Message`; clients read either.
    const messageName = schema && schema.getMemberSchemas()['Message'] ? 'Message' : 'message';
    const type = schema ? `${model.namespace}#${error.code}` : error.code;
    return {
      status: error.status,
      headers: { 'content-type': `application/x-amz-json-${version}`, 'x-amzn-requestid': requestId, ...queryError(model, error) },
      body: JSON.stringify({ __type: type, [messageName]: error.message, ...members }),
    };
  },
});
