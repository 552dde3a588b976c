/** The intrinsic functions (https://states-language.net/#appendix-b; developer guide, "Intrinsic functions"). */
import { createHash, randomUUID } from 'node:crypto';
import { IntrinsicFault } from './failure.js';
import { type Json, isArray, isObject, sameJson } from './values.js';

/** Uniform in [0, 1): the desk's seeded one. */
export type Random = () => number;
type Intrinsic = (args: readonly Json[], random: Random) => Json;

/** More would not fit a payload (developer guide: StringToJson, Base64, Hash take 10,000 characters). */
const LONGEST_TEXT = 10_000;
/** ArrayRange makes at most so many elements. */
const LONGEST_RANGE = 1000;
const HASHES: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

function fail(message: string): never {
  throw new IntrinsicFault(message);
}

function text(value: Json | undefined): string {
  if (typeof value !== 'string') return fail(`got ${JSON.stringify(value)}, expected a string`);
  return value;
}

function short(value: Json | undefined): string {
  const given = text(value);
  return given.length > LONGEST_TEXT ? fail(`got ${given.length} characters, expected at most ${LONGEST_TEXT}`) : given;
}

/** Decimals are rounded to the nearest whole number, halves away from zero for positive ones (AWS's own rounding). */
function whole(value: Json | undefined): number {
  if (typeof value !== 'number') return fail(`got ${JSON.stringify(value)}, expected a number`);
  return Math.round(value);
}

function array(value: Json | undefined): readonly Json[] {
  if (!isArray(value)) return fail(`got ${JSON.stringify(value)}, expected an array`);
  return value;
}

function format([template, ...values]: readonly Json[]): string {
  let used = 0;
  const result = text(template).replace(/\\(.)|\{\}/gs, (_, literal: string | undefined) => {
    if (literal !== undefined) return literal;
    const value = values[used++];
    if (value === undefined) return fail('States.Format: more {} than arguments');
    return javaText(value);
  });
  return used === values.length ? result : fail(`States.Format: got ${values.length} arguments for ${used} {}`);
}

/** The service is written in Java, and so are its texts of objects and arrays: `{a=1, b=[x, y]}`. */
function javaText(value: Json): string {
  if (isArray(value)) return `[${value.map(javaText).join(', ')}]`;
  if (isObject(value))
    return `{${Object.entries(value)
      .map(([key, member]) => `${key}=${javaText(member)}`)
      .join(', ')}}`;
  return String(value);
}

/** A text of nothing is null, as on AWS. */
function parse(value: Json | undefined): Json {
  try {
    return short(value).trim() === '' ? null : (JSON.parse(short(value)) as Json);
  } catch (error) {
    if (error instanceof IntrinsicFault) throw error;
    return fail(`States.StringToJson: ${(error as Error).message}`);
  }
}

function range([first, last, step]: readonly Json[]): number[] {
  const [from, to, by] = [whole(first), whole(last), whole(step)];
  if (by === 0) return fail('States.ArrayRange: got the increment 0');
  const length = Math.max(0, Math.floor((to - from) / by) + 1);
  if (length > LONGEST_RANGE) return fail(`States.ArrayRange: got ${length} elements, expected at most ${LONGEST_RANGE}`);
  return Array.from({ length }, (_, index) => from + index * by);
}

function partition([given, size]: readonly Json[]): Json[] {
  const [elements, length] = [array(given), whole(size)];
  if (length <= 0) return fail(`States.ArrayPartition: got the size ${length}, expected a positive one`);
  return Array.from({ length: Math.ceil(elements.length / length) }, (_, index) => elements.slice(index * length, (index + 1) * length));
}

function random([from, to, seed]: readonly Json[], draw: Random): number {
  const [first, end] = [whole(from), whole(to)];
  const share =
    seed === undefined
      ? draw()
      : createHash('sha256')
          .update(String(whole(seed)))
          .digest()
          .readUInt32BE(0) /
        2 ** 32;
  return first + Math.floor(share * (end - first));
}

function merge([left, right, deep]: readonly Json[]): Json {
  if (deep !== false) return fail('States.JsonMerge: only the shallow merge exists, the third argument must be false');
  return isObject(left) && isObject(right) ? { ...left, ...right } : fail('States.JsonMerge: expected two objects');
}

/** Any character of the second text separates; empty parts are left out, as on AWS. */
function split([given, separators]: readonly Json[]): string[] {
  const marks = new Set(text(separators));
  const parts: string[] = [''];
  for (const character of text(given)) {
    if (marks.has(character)) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts.filter((part) => part !== '');
}

function hash([data, algorithm]: readonly Json[]): string {
  const name = HASHES[text(algorithm)];
  if (name === undefined) return fail(`States.Hash: got ${JSON.stringify(algorithm)}, expected one of ${Object.keys(HASHES).join(', ')}`);
  return createHash(name)
    .update(typeof data === 'string' ? short(data) : JSON.stringify(data))
    .digest('hex');
}

/** The function and how many arguments it takes, from and to. */
export const INTRINSICS: Readonly<Record<string, { readonly run: Intrinsic; readonly from: number; readonly to: number }>> = {
  'States.Format': { run: format, from: 1, to: Infinity },
  'States.StringToJson': { run: ([value]) => parse(value), from: 1, to: 1 },
  'States.JsonToString': { run: ([value]) => JSON.stringify(value), from: 1, to: 1 },
  'States.Array': { run: (args) => args, from: 0, to: Infinity },
  'States.ArrayPartition': { run: partition, from: 2, to: 2 },
  'States.ArrayContains': {
    run: ([given, value]) => array(given).some((element) => sameJson(element, value!)),
    from: 2,
    to: 2,
  },
  'States.ArrayRange': { run: range, from: 3, to: 3 },
  'States.ArrayGetItem': {
    run: ([given, index]) =>
      array(given)[whole(index)] ?? fail(`States.ArrayGetItem: got the index ${whole(index)} of ${array(given).length} elements`),
    from: 2,
    to: 2,
  },
  'States.ArrayLength': { run: ([given]) => array(given).length, from: 1, to: 1 },
  'States.ArrayUnique': {
    run: ([given]) => array(given).filter((element, index, all) => all.findIndex((other) => sameJson(other, element)) === index),
    from: 1,
    to: 1,
  },
  'States.Base64Encode': { run: ([value]) => Buffer.from(short(value)).toString('base64'), from: 1, to: 1 },
  'States.Base64Decode': { run: ([value]) => Buffer.from(short(value), 'base64').toString(), from: 1, to: 1 },
  'States.Hash': { run: hash, from: 2, to: 2 },
  'States.JsonMerge': { run: merge, from: 3, to: 3 },
  'States.MathRandom': { run: random, from: 2, to: 3 },
  'States.MathAdd': { run: ([a, b]) => whole(a) + whole(b), from: 2, to: 2 },
  'States.StringSplit': { run: split, from: 2, to: 2 },
  'States.UUID': { run: () => randomUUID(), from: 0, to: 0 },
};
