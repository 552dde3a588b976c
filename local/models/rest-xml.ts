/** restXml, which only S3 speaks: operation by method, path and query, members in headers, one payload or an XML body. */
import { bodyMembers, payloadMember, readBindings, routeByHttp, writeBindings } from './http-bindings.js';
import type { ServiceModel } from './model.js';
import { escapeXml, parseXml, readXml, writeXml } from './xml.js';
import type { Protocol, WireResponse } from './wire.js';

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

const rootNamespace = (model: ServiceModel): string => ` xmlns="${model.xmlNamespace}"`;
const withRootNamespace = (model: ServiceModel, xml: string): string =>
  /^<[^>]*xmlns=/.test(xml) ? xml : xml.replace(/^<([^\s/>]+)/, `<$1${rootNamespace(model)}`);

export const restXml: Protocol = {
  route: routeByHttp,
  decode(model, operation, request) {
    const input = readBindings(model, operation, request);
    const payload = payloadMember(operation.input);
    if (payload) {
      const [name, member] = payload;
      if (member.isBlobSchema()) input[name] = request.body;
      else if (request.body.length > 0) {
        const text = Buffer.from(request.body).toString('utf8');
        input[name] = member.isStringSchema() ? text : readXml(member, parseXml(text).content);
      }
      return input;
    }
    const members = bodyMembers(operation.input);
    if (members.length > 0 && request.body.length > 0) {
      const { content } = parseXml(Buffer.from(request.body).toString('utf8'));
      const known = new Set(members.map(([name]) => name));
      const body = readXml(operation.input, content) as Record<string, unknown>;
      for (const [name, value] of Object.entries(body)) if (known.has(name) || !(name in input)) input[name] = value;
    }
    return input;
  },
  encode(model, operation, output, requestId) {
    const { headers, status } = writeBindings(operation, output);
    const common = { 'x-amz-request-id': requestId, 'x-amz-id-2': requestId };
    const payload = payloadMember(operation.output);
    if (payload) {
      const [name, member] = payload;
      const value = output[name];
      if (member.isBlobSchema() || member.isStringSchema())
        return { status, headers: { ...common, ...headers }, body: (value ?? '') as WireResponse['body'] };
      if (value === undefined) return { status, headers: { ...common, ...headers }, body: '' };
      const root = (member.getMergedTraits().xmlName as string | undefined) ?? member.getName() ?? name;
      const xml = DECLARATION + withRootNamespace(model, writeXml(member, value, root));
      return { status, headers: { 'content-type': 'application/xml', ...common, ...headers }, body: xml };
    }
    const members = bodyMembers(operation.output);
    if (members.length === 0) return { status, headers: { ...common, ...headers }, body: '' };
    const root =
      (operation.output.getMergedTraits().xmlName as string | undefined) ?? operation.output.getName() ?? `${operation.name}Result`;
    const inner = members
      .map(([name, member]) => writeXml(member, output[name], (member.getMergedTraits().xmlName as string | undefined) ?? name))
      .join('');
    // GetBucketLocation answers with a bare element whose text is the region: the one output that S3 does not wrap.
    const xml =
      operation.output.getMergedTraits().s3UnwrappedXmlOutput || operation.name === 'GetBucketLocation'
        ? inner || '<LocationConstraint/>'
        : `<${root}>${inner}</${root}>`;
    return {
      status,
      headers: { 'content-type': 'application/xml', ...common, ...headers },
      body: DECLARATION + withRootNamespace(model, xml),
    };
  },
  encodeError(_model, error, requestId) {
    const extra = Object.entries(error.extra)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
      .join('');
    const body = `${DECLARATION}<Error><Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message>${extra}<RequestId>${requestId}</RequestId><HostId>${requestId}</HostId></Error>`;
    return {
      status: error.status,
      headers: { 'content-type': 'application/xml', 'x-amz-request-id': requestId, 'x-amz-id-2': requestId },
      // 304 has no body (RFC 9110 §15.4.5).
      body: error.status === 304 ? '' : body,
    };
  },
};
