/** restJson1: operation by method and path, members in path, query, headers and a JSON body. */
import { bodyMembers, payloadMember, readBindings, routeByHttp, writeBindings } from './http-bindings.js';
import { readJson, writeJson } from './json.js';
import { isPlainObject } from './validate.js';
import type { Protocol, WireResponse } from './wire.js';

const NAMES = { jsonNames: true };

const parse = (body: Uint8Array): unknown => (body.length > 0 ? JSON.parse(Buffer.from(body).toString('utf8')) : undefined);

export const restJson: Protocol = {
  route: routeByHttp,
  decode(model, operation, request) {
    const input = readBindings(model, operation, request);
    const payload = payloadMember(operation.input);
    if (payload) {
      const [name, member] = payload;
      if (member.isBlobSchema()) input[name] = request.body;
      else if (member.isStringSchema()) input[name] = Buffer.from(request.body).toString('utf8');
      else if (request.body.length > 0) input[name] = readJson(member, parse(request.body), NAMES);
      return input;
    }
    const body = parse(request.body) ?? {};
    if (!isPlainObject(body)) throw new SyntaxError('the body must be a JSON object');
    const known = new Set<string>();
    for (const [name, member] of bodyMembers(operation.input)) {
      const key = member.getMergedTraits().jsonName ?? name;
      known.add(key);
      if (body[key] !== undefined && body[key] !== null) input[name] = readJson(member, body[key], NAMES);
    }
    for (const key of Object.keys(body)) if (!known.has(key) && !(key in input)) input[key] = body[key];
    return input;
  },
  encode(_model, operation, output, requestId) {
    const { headers, status } = writeBindings(operation, output);
    const payload = payloadMember(operation.output);
    let body: WireResponse['body'] = '';
    if (payload) {
      const [name, member] = payload;
      const value = output[name];
      if (value instanceof Uint8Array || typeof value === 'string') body = value;
      else if (value !== undefined) body = JSON.stringify(writeJson(member, value, NAMES));
    } else if (operation.output.isStructSchema()) {
      body = JSON.stringify(
        Object.fromEntries(
          bodyMembers(operation.output).map(([name, member]) => [
            member.getMergedTraits().jsonName ?? name,
            writeJson(member, output[name], NAMES),
          ]),
        ),
      );
    }
    return { status, headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId, ...headers }, body };
  },
  encodeError(model, error, requestId) {
    const schema = model.errors.get(error.code);
    const members = schema ? (writeJson(schema, { ...error.extra }, NAMES) as Record<string, unknown>) : {};
    const messageName = schema && schema.getMemberSchemas()['Message'] ? 'Message' : 'message';
    return {
      status: error.status,
      headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId, 'x-amzn-errortype': error.code },
      body: JSON.stringify({ ...members, [messageName]: error.message }),
    };
  },
};
