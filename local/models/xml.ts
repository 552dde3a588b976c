/** XML ↔ values in the SDK's shape (Smithy, "XML binding traits"), for restXml and for the answers of awsQuery. */
import { XMLParser } from 'fast-xml-parser';
import type { NormalizedSchema } from '@smithy/core/schema';

import { readText, writeText } from './simple.js';
import { isPlainObject } from './validate.js';

const ATTRIBUTE = '@';
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: ATTRIBUTE,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  ignoreDeclaration: true,
  processEntities: true,
});

type Node = string | { readonly [name: string]: Node | readonly Node[] };

/** The content of the root element, and its name. Throws SyntaxError where the text is not one XML element. */
export function parseXml(text: string): { name: string; content: Node } {
  let tree: Record<string, Node>;
  try {
    tree = parser.parse(text, true) as Record<string, Node>;
  } catch (error) {
    throw new SyntaxError(error instanceof Error ? error.message : 'not XML', { cause: error });
  }
  const names = Object.keys(tree).filter((name) => !name.startsWith('?') && name !== '#text');
  const [name] = names;
  if (name === undefined || names.length > 1) throw new SyntaxError('expected one root element');
  return { name, content: tree[name] ?? '' };
}

const textOf = (node: Node): string => (typeof node === 'string' ? node : typeof node['#text'] === 'string' ? node['#text'] : '');
const many = (node: Node | readonly Node[] | undefined): readonly Node[] =>
  node === undefined ? [] : Array.isArray(node) ? (node as readonly Node[]) : [node as Node];
const nameOf = (schema: NormalizedSchema, byDefault: string): string =>
  (schema.getMergedTraits().xmlName as string | undefined) ?? byDefault;

export function readXml(schema: NormalizedSchema, node: Node | readonly Node[]): unknown {
  if (schema.isListSchema()) return readList(schema, node);
  if (schema.isMapSchema()) return readMap(schema, node);
  const [single] = many(node);
  if (single === undefined) return undefined;
  if (!schema.isStructSchema()) return readText(schema, textOf(single));
  const value: Record<string, unknown> = {};
  const children: Readonly<Record<string, Node | readonly Node[]>> = isPlainObject(single) ? (single as Record<string, Node>) : {};
  const rest = new Set(Object.keys(children).filter((name) => !name.startsWith(ATTRIBUTE) && name !== '#text'));
  for (const [name, member] of schema.structIterator()) {
    const key = nameOf(member, name);
    const child = member.getMergedTraits().xmlAttribute ? children[ATTRIBUTE + key] : children[key];
    if (child !== undefined) value[name] = readXml(member, child);
    rest.delete(key);
  }
  for (const name of rest) value[name] = children[name];
  return value;
}

function readList(schema: NormalizedSchema, node: Node | readonly Node[]): unknown[] {
  const member = schema.getValueSchema();
  if (schema.getMergedTraits().xmlFlattened) return many(node).map((item) => readXml(member, item));
  const [wrapper] = many(node);
  return isPlainObject(wrapper)
    ? many((wrapper as Record<string, Node>)[nameOf(member, 'member')]).map((item) => readXml(member, item))
    : [];
}

function readMap(schema: NormalizedSchema, node: Node | readonly Node[]): Record<string, unknown> {
  const flat = schema.getMergedTraits().xmlFlattened;
  const [wrapper] = many(node);
  const entries = flat ? many(node) : isPlainObject(wrapper) ? many((wrapper as Record<string, Node>)['entry']) : [];
  const keyName = nameOf(schema.getKeySchema(), 'key');
  const valueName = nameOf(schema.getValueSchema(), 'value');
  return Object.fromEntries(
    entries.flatMap((entry) => {
      if (!isPlainObject(entry)) return [];
      const { [keyName]: key, [valueName]: value } = entry as Record<string, Node>;
      return [[textOf(key ?? ''), readXml(schema.getValueSchema(), value ?? '')] as const];
    }),
  );
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#xD;', '\n': '&#xA;' };
/** Line ends are escaped too: a PEM must not lose its carriage returns to XML's normalisation. */
export const escapeXml = (text: string): string => text.replace(/[&<>"\r]/g, (character) => ESCAPES[character] ?? character);

const element = (name: string, attributes: string, content: string): string => `<${name}${attributes}>${content}</${name}>`;

function namespaceOf(schema: NormalizedSchema): string {
  const [prefix, uri] = (schema.getMergedTraits().xmlNamespace as readonly [string | undefined, string] | undefined) ?? [];
  return uri ? ` xmlns${prefix ? `:${prefix}` : ''}="${escapeXml(uri)}"` : '';
}

/** The element or elements of one value under the name `name`. */
export function writeXml(schema: NormalizedSchema, value: unknown, name: string): string {
  if (value === undefined || value === null) return '';
  if (schema.isListSchema()) {
    const member = schema.getValueSchema();
    const items = value as readonly unknown[];
    if (schema.getMergedTraits().xmlFlattened) return items.map((item) => writeXml(member, item, name)).join('');
    const itemName = nameOf(member, 'member');
    return element(name, namespaceOf(schema), items.map((item) => writeXml(member, item, itemName)).join(''));
  }
  if (schema.isMapSchema()) {
    const keyName = nameOf(schema.getKeySchema(), 'key');
    const valueName = nameOf(schema.getValueSchema(), 'value');
    const flat = schema.getMergedTraits().xmlFlattened;
    const entries = Object.entries(value).map(([key, item]) =>
      element(flat ? name : 'entry', '', element(keyName, '', escapeXml(key)) + writeXml(schema.getValueSchema(), item, valueName)),
    );
    return flat ? entries.join('') : element(name, namespaceOf(schema), entries.join(''));
  }
  if (!schema.isStructSchema()) return element(name, namespaceOf(schema), escapeXml(writeText(schema, value, 'date-time')));
  return writeStructure(schema, value as Readonly<Record<string, unknown>>, name, namespaceOf(schema));
}

function writeStructure(schema: NormalizedSchema, value: Readonly<Record<string, unknown>>, name: string, namespace: string): string {
  let attributes = namespace;
  let content = '';
  for (const [memberName, member] of schema.structIterator()) {
    const item = value[memberName];
    if (item === undefined || item === null) continue;
    const key = nameOf(member, memberName);
    if (member.getMergedTraits().xmlAttribute) attributes += ` ${key}="${escapeXml(writeText(member, item, 'date-time'))}"`;
    else content += writeXml(member, item, key);
  }
  return element(name, attributes, content);
}
