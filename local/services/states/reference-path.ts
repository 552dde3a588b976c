/** ResultPath: puts a result into the state's input at a reference path, making what is missing on the way. */
import { StateFailure } from './failure.js';
import { parsePath } from './json-path.js';
import { type Json, isArray, isObject } from './values.js';

/** `null` discards the result, `$` replaces everything. */
export function putAt(pathText: string | null, input: Json, result: Json): Json {
  if (pathText === null) return input;
  const keys = parsePath(pathText).segments.map((segment) => (segment.kind === 'keys' ? segment.keys[0]! : undefined)!);
  return put(input, keys, result, pathText, input);
}

function put(node: Json | undefined, keys: readonly (string | number)[], result: Json, pathText: string, whole: Json): Json {
  const [key, ...rest] = keys;
  if (key === undefined) return result;
  if (typeof key === 'number') {
    if (!isArray(node) || key < 0 || key >= node.length) throw mismatch(pathText, whole);
    return node.map((element, index) => (index === key ? put(element, rest, result, pathText, whole) : element));
  }
  if (node !== undefined && !isObject(node)) throw mismatch(pathText, whole);
  const next = put(node !== undefined && Object.hasOwn(node, key) ? node[key] : undefined, rest, result, pathText, whole);
  return { ...node, [key]: next };
}

const mismatch = (pathText: string, whole: Json): StateFailure =>
  new StateFailure('States.ResultPathMatchFailure', `Unable to apply ReferencePath ${pathText} to input ${JSON.stringify(whole)}`);
