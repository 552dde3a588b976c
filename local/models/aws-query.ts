/** awsQuery: a form with `Action`, nested names (`Attribute.1.Name`, `Tags.member.2.Key`), XML answers. */
import type { NormalizedSchema } from '@smithy/core/schema';

import { readText } from './simple.js';
import { escapeXml, writeXml } from './xml.js';
import type { Protocol } from './wire.js';

/** The form as a tree: `A.member.1.B=x` is `{A: {member: {1: {B: 'x'}}}}`; text at a node that has children sits under `''`. */
interface Tree {
  [name: string]: Tree | string;
}

function treeOf(form: URLSearchParams): Tree {
  const root: Tree = Object.create(null) as Tree;
  for (const [name, value] of form) {
    let at = root;
    const path = name.split('.');
    const last = path.pop() ?? '';
    for (const step of path) {
      const next = at[step];
      at =
        typeof next === 'object' ? next : (at[step] = Object.assign(Object.create(null) as Tree, next === undefined ? {} : { '': next }));
    }
    const existing = at[last];
    if (typeof existing === 'object') existing[''] = value;
    else at[last] = value;
  }
  return root;
}

const nameOf = (schema: NormalizedSchema, byDefault: string): string =>
  (schema.getMergedTraits().xmlName as string | undefined) ?? byDefault;
const numbered = (tree: Tree | string | undefined): readonly (Tree | string)[] =>
  typeof tree === 'object'
    ? Object.keys(tree)
        .filter((key) => /^\d+$/.test(key))
        .sort((a, b) => Number(a) - Number(b))
        .flatMap((key) => tree[key] ?? [])
    : [];

function read(schema: NormalizedSchema, tree: Tree | string): unknown {
  if (schema.isListSchema()) {
    const member = schema.getValueSchema();
    const flat = schema.getMergedTraits().xmlFlattened;
    const items = flat ? tree : typeof tree === 'object' ? tree[nameOf(member, 'member')] : undefined;
    return numbered(items).map((item) => read(member, item));
  }
  if (schema.isMapSchema()) {
    const flat = schema.getMergedTraits().xmlFlattened;
    const entries = numbered(flat ? tree : typeof tree === 'object' ? tree['entry'] : undefined);
    const keyName = nameOf(schema.getKeySchema(), 'key');
    const valueName = nameOf(schema.getValueSchema(), 'value');
    return Object.fromEntries(
      entries.flatMap((entry) =>
        typeof entry === 'object' && typeof entry[keyName] === 'string'
          ? [[entry[keyName], read(schema.getValueSchema(), entry[valueName] ?? '')]]
          : [],
      ),
    );
  }
  if (schema.isStructSchema()) {
    if (typeof tree === 'string') return tree === '' ? {} : tree;
    const value: Record<string, unknown> = {};
    const rest = new Set(Object.keys(tree));
    for (const [name, member] of schema.structIterator()) {
      const key = nameOf(member, name);
      const child = tree[key];
      if (child !== undefined) value[name] = read(member, child);
      rest.delete(key);
    }
    for (const key of rest) value[key] = tree[key];
    return value;
  }
  const text = typeof tree === 'string' ? tree : tree[''];
  return readText(schema, typeof text === 'string' ? text : '');
}

export const awsQuery: Protocol = {
  route(model, request) {
    return model.operations.get(formOf(request.body, request.query).get('Action') ?? '');
  },
  decode(_model, operation, request) {
    const form = formOf(request.body, request.query);
    form.delete('Action');
    form.delete('Version');
    for (const name of Array.from(form.keys())) if (name.startsWith('X-Amz-')) form.delete(name);
    return operation.input.isUnitSchema() ? {} : (read(operation.input, treeOf(form)) as Record<string, unknown>);
  },
  encode(model, operation, output, requestId) {
    const name = operation.name;
    const result = operation.output.isUnitSchema() ? '' : writeXml(operation.output, output, `${name}Result`);
    const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
    return {
      status: 200,
      headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
      body: `<${name}Response xmlns="${model.xmlNamespace}">${result}${metadata}</${name}Response>`,
    };
  },
  encodeError(model, error, requestId) {
    const schema = model.errors.get(error.code);
    const [code, status] = (schema?.getMergedTraits().awsQueryError as readonly [string, number] | undefined) ?? [error.code, error.status];
    const extra = schema
      ? [...schema.structIterator()].map(([name, member]) => writeXml(member, error.extra[name], nameOf(member, name))).join('')
      : '';
    const type = status >= 500 ? 'Receiver' : 'Sender';
    return {
      status,
      headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
      body: `<ErrorResponse xmlns="${model.xmlNamespace}"><Error><Type>${type}</Type><Code>${escapeXml(code)}</Code><Message>${escapeXml(error.message)}</Message>${extra}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
    };
  },
};

function formOf(body: Uint8Array, query: URLSearchParams): URLSearchParams {
  const form = new URLSearchParams(Buffer.from(body).toString('utf8'));
  for (const [name, value] of query) if (!form.has(name)) form.append(name, value);
  return form;
}
