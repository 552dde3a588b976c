/** Payload templates (Parameters, ResultSelector, ItemSelector): JSON in which a name that ends in `.$` has a path or an intrinsic function as its value. */
import { RuntimeFault } from './failure.js';
import type { Random } from './intrinsic-functions.js';
import { evaluateIntrinsic, parseIntrinsic } from './intrinsics.js';
import { type Found, findPath, parsePath } from './json-path.js';
import { type Json, isArray, isObject } from './values.js';

/** What expressions of one state read: `$…` is the data, `$$…` the context object. */
export interface Sources {
  readonly data: Json;
  readonly context: Json;
  readonly random: Random;
}

export function find(path: string, { data, context }: Sources): Found {
  return path.startsWith('$$') ? findPath(parsePath(path.slice(1)), context) : findPath(parsePath(path), data);
}

/** InputPath, OutputPath and the like. Throws RuntimeFault for a path that leads nowhere. */
export function valueAt(path: string, sources: Sources): Json {
  const found = find(path, sources);
  if (!found.found) throw new RuntimeFault(`Invalid path '${path}' : ${found.why}`);
  return found.value;
}

/** A path or an intrinsic function, the value of `field`. */
export function valueOf(expression: string, field: string, sources: Sources): Json {
  const at = (path: string): Json => {
    const found = find(path, sources);
    if (found.found) return found.value;
    const searched = path.startsWith('$$') ? sources.context : sources.data;
    throw new RuntimeFault(
      `The JSONPath '${path}' specified for the field '${field}' could not be found in the input '${JSON.stringify(searched)}'`,
    );
  };
  return expression.startsWith('$') ? at(expression) : evaluateIntrinsic(parseIntrinsic(expression), at, sources.random);
}

export function fill(template: Json, sources: Sources): Json {
  if (isArray(template)) return template.map((element) => fill(element, sources));
  if (!isObject(template)) return template;
  return Object.fromEntries(
    Object.entries(template).map(([name, value]) =>
      name.endsWith('.$') ? [name.slice(0, -2), valueOf(value as string, name, sources)] : [name, fill(value, sources)],
    ),
  );
}
