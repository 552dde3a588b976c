/** rpcv2Cbor: POST /service/<name>/operation/<operation>, header `smithy-protocol`, CBOR bodies. Newer clients of CloudWatch speak it. */
import { cbor, CborShapeDeserializer, CborShapeSerializer } from '@smithy/core/cbor';
import type { NormalizedSchema } from '@smithy/core/schema';

import type { Protocol } from './wire.js';

const PATH = /^\/service\/[^/]+\/operation\/([^/]+)$/;

function write(schema: NormalizedSchema, value: unknown): Uint8Array {
  const serializer = new CborShapeSerializer();
  serializer.write(schema, value);
  return new Uint8Array(serializer.flush());
}

const headers = (requestId: string): Record<string, string> => ({
  'content-type': 'application/cbor',
  'smithy-protocol': 'rpc-v2-cbor',
  'x-amzn-requestid': requestId,
});

export const rpcCbor: Protocol = {
  route(model, request) {
    const [, name] = PATH.exec(request.path) ?? [];
    return name ? model.operations.get(name) : undefined;
  },
  decode(_model, operation, request) {
    if (request.body.length === 0 || operation.input.isUnitSchema()) return {};
    return new CborShapeDeserializer().read(operation.input, request.body) as Record<string, unknown>;
  },
  encode(_model, operation, output, requestId) {
    return { status: 200, headers: headers(requestId), body: operation.output.isUnitSchema() ? '' : write(operation.output, output) };
  },
  encodeError(model, error, requestId) {
    const type = `${model.namespace}#${error.code}`;
    return {
      status: error.status,
      headers: headers(requestId),
      body: cbor.serialize({ __type: type, message: error.message, ...error.extra }),
    };
  },
};
