import fc from 'fast-check';

import { readItem, type AttributeValue, type Item } from '../../local/services/dynamodb/attribute-value.js';
import { parseCondition } from '../../local/services/dynamodb/expressions/condition-parser.js';
import { holds } from '../../local/services/dynamodb/expressions/condition.js';
import { Placeholders } from '../../local/services/dynamodb/expressions/placeholders.js';
import { addNumbers, canonicalNumber, compareNumbers, sortableNumber, subtractNumbers } from '../../local/services/dynamodb/number.js';
import { SortedList } from '../../local/services/sorted-list.js';

/** Plain JavaScript values that stand for attributes. */
type Plain = string | number | string[];
type PlainItem = Partial<Record<'a' | 'b' | 'c', Plain>>;

const marshal = (value: Plain): AttributeValue =>
  typeof value === 'string' ? { S: value } : typeof value === 'number' ? { N: String(value) } : { L: value.map((S) => ({ S })) };
const toItem = (plain: PlainItem): Item =>
  readItem(Object.fromEntries(Object.entries(plain).map(([name, value]) => [name, marshal(value)])));

/** A condition as text, with what it means in JavaScript. */
interface Sample {
  readonly text: (value: (plain: Plain) => string) => string;
  readonly means: (item: PlainItem) => boolean;
}

const name = fc.constantFrom('a' as const, 'b' as const, 'c' as const);
const scalar = fc.oneof(fc.constantFrom('', 'x', 'xy', 'y', 'é', '😀'), fc.integer({ min: -3, max: 3 }));
const plain: fc.Arbitrary<Plain> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }) },
);
const same = (x: Plain | undefined, y: Plain | undefined) => x !== undefined && y !== undefined && JSON.stringify(x) === JSON.stringify(y);
const order = (x: Plain | undefined, y: Plain): number | undefined => {
  if (typeof x === 'number' && typeof y === 'number') return x - y;
  return typeof x === 'string' && typeof y === 'string' ? Buffer.compare(Buffer.from(x), Buffer.from(y)) : undefined;
};
const comparators: Readonly<Record<string, (x: Plain | undefined, y: Plain) => boolean>> = {
  '=': same,
  '<>': (x, y) => !same(x, y),
  '<': (x, y) => (order(x, y) ?? 1) < 0,
  '<=': (x, y) => (order(x, y) ?? 1) <= 0,
  '>': (x, y) => (order(x, y) ?? -1) > 0,
  '>=': (x, y) => (order(x, y) ?? -1) >= 0,
};
const length = (x: Plain | undefined) => (typeof x === 'number' || x === undefined ? undefined : x.length);

const leaf: fc.Arbitrary<Sample> = fc.oneof(
  fc.tuple(name, fc.constantFrom(...Object.keys(comparators)), scalar).map(([n, op, v]): Sample => ({
    text: (value) => `${n} ${op} ${value(v)}`,
    means: (item) => comparators[op]?.(item[n], v) ?? false,
  })),
  fc.tuple(name, plain).map(([n, v]): Sample => ({ text: (value) => `${n}=${value(v)}`, means: (item) => same(item[n], v) })),
  fc.tuple(name, fc.boolean()).map(([n, exists]): Sample => ({
    text: () => `${exists ? 'attribute_exists' : 'attribute_not_exists'}(${n})`,
    means: (item) => (item[n] !== undefined) === exists,
  })),
  fc.tuple(name, fc.constantFrom('', 'x', 'xy')).map(([n, prefix]): Sample => ({
    text: (value) => `begins_with ( ${n}, ${value(prefix)} )`,
    means: (item) => typeof item[n] === 'string' && item[n].startsWith(prefix),
  })),
  fc.tuple(name, fc.constantFrom('x', 'y')).map(([n, part]): Sample => ({
    text: (value) => `contains(${n}, ${value(part)})`,
    means: (item) => (typeof item[n] === 'object' ? item[n].includes(part) : typeof item[n] === 'string' && item[n].includes(part)),
  })),
  fc.tuple(name, fc.array(scalar, { minLength: 1, maxLength: 3 })).map(([n, list]): Sample => ({
    text: (value) => `${n} IN (${list.map(value).join(', ')})`,
    means: (item) => list.some((v) => same(item[n], v)),
  })),
  fc.tuple(name, fc.integer({ min: -3, max: 3 }), fc.nat(4)).map(([n, low, more]): Sample => ({
    text: (value) => `${n} between ${value(low)} and ${value(low + more)}`,
    means: (item) => typeof item[n] === 'number' && item[n] >= low && item[n] <= low + more,
  })),
  fc
    .tuple(name, fc.nat(2))
    .map(([n, size]): Sample => ({ text: (value) => `size(${n}) > ${value(size)}`, means: (item) => (length(item[n]) ?? -1) > size })),
  fc.tuple(name, fc.constantFrom('S', 'N', 'L')).map(([n, type]): Sample => ({
    text: (value) => `attribute_type(${n}, ${value(type)})`,
    means: (item) => item[n] !== undefined && Object.keys(marshal(item[n]))[0] === type,
  })),
);

const { condition } = fc.letrec<{ condition: Sample }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small' },
    leaf,
    tie('condition').map((inner): Sample => ({ text: (value) => `NOT (${inner.text(value)})`, means: (item) => !inner.means(item) })),
    fc.tuple(tie('condition'), tie('condition')).map(([x, y]): Sample => ({
      text: (value) => `(${x.text(value)} ) AND ( ${y.text(value)})`,
      means: (item) => x.means(item) && y.means(item),
    })),
    fc.tuple(leaf, leaf, leaf).map(([x, y, z]): Sample => ({
      // AND binds more strongly than OR, NOT more strongly than both.
      text: (value) => `${x.text(value)} or NOT ${y.text(value)} and ${z.text(value)}`,
      means: (item) => x.means(item) || (!y.means(item) && z.means(item)),
    })),
  ),
}));

test('law: a condition means what the same condition means in JavaScript', () => {
  fc.assert(
    fc.property(
      condition,
      fc.array(fc.record({ a: plain, b: plain, c: plain }, { requiredKeys: [] }), { minLength: 5, maxLength: 5 }),
      (sample, items) => {
        const values: Record<string, AttributeValue> = {};
        const text = sample.text((value) => {
          const key = `:v${Object.keys(values).length}`;
          values[key] = marshal(value);
          return key;
        });
        const placeholders = new Placeholders(undefined, Object.keys(values).length > 0 ? values : undefined, {
          ConditionExpression: text,
        });
        const parsed = parseCondition(text, 'ConditionExpression', placeholders);
        placeholders.assertAllUsed();
        for (const item of items) expect([text, holds(parsed, toItem(item))]).toEqual([text, sample.means(item)]);
      },
    ),
    { numRuns: 400 },
  );
});

test.each([
  ['((a = :n))', 'The expression has redundant parentheses;'],
  [
    'a = a',
    'The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]',
  ],
  ['a < :t', 'Incorrect operand type for operator or function; operator: <, operand type: BOOL'],
  ['begins_with(a, :n)', 'Incorrect operand type for operator or function; operator or function: begins_with, operand type: N'],
  ['attribute_exists(:n)', 'Operator or function requires a document path; operator or function: attribute_exists'],
  ['attribute_type(a, :s)', /Invalid attribute type name found; type: text/],
  ['contains(a)', 'Incorrect number of operands for operator or function; operator or function: contains, number of operands: 1'],
  ['SIZE(a) > :n', 'Invalid function name; function: SIZE'],
  ['size(a)', 'The function is not allowed to be used this way in an expression; function: size'],
  ['begins_with(a, :s) = :t', 'Syntax error; token: "=", near: ") = :t"'],
  ['a BETWEEN :n AND :minus', /requires upper bound to be greater than or equal to lower bound/],
  ['a BETWEEN :n AND :s', /requires same data type/],
  ['a = :n AND', /Syntax error; token: "<EOF>"/],
  ['a', /Syntax error; token: "<EOF>", near: "a"/],
  ['a ! :n', /Syntax error; token: "!"/],
  ['name = :n', 'Attribute name is a reserved keyword; reserved keyword: name'],
])('%s is refused', (text, message) => {
  const values = { ':n': { N: '1' }, ':minus': { N: '-1' }, ':s': { S: 'text' }, ':t': { BOOL: true } };
  const parse = () => parseCondition(text, 'ConditionExpression', new Placeholders(undefined, values, { ConditionExpression: text }));
  expect(parse).toThrow(typeof message === 'string' ? `Invalid ConditionExpression: ${message}` : message);
});

test('an expression of more than 4 KB is refused', () => {
  const text = `a = :n OR ${'x'.repeat(4096)} = :n`;
  const placeholders = new Placeholders(undefined, { ':n': { N: '1' } }, { ConditionExpression: text });
  expect(() => parseCondition(text, 'ConditionExpression', placeholders)).toThrow(/Expression size has exceeded the maximum allowed size/);
});

describe('numbers', () => {
  /** coefficient × 10^exponent, and how it is written. */
  const decimal = fc.tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.integer({ min: -20, max: 20 }));
  const written = ([coefficient, exponent]: readonly [bigint, number]) => `${coefficient}E${exponent}`;
  /** As a whole number of 10^-20. */
  const scaled = ([coefficient, exponent]: readonly [bigint, number]) => coefficient * 10n ** BigInt(exponent + 20);
  const fromText = (text: string): bigint => {
    const [, sign, whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
    return BigInt(`${sign}${whole}${fraction.padEnd(20, '0')}`);
  };
  const near = fc.tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.integer({ min: -10, max: 8 }));

  test('law: sums and differences are exact', () => {
    fc.assert(
      fc.property(near, near, (x, y) => {
        expect(fromText(addNumbers(written(x), written(y)))).toBe(scaled(x) + scaled(y));
        expect(fromText(subtractNumbers(written(x), written(y)))).toBe(scaled(x) - scaled(y));
      }),
      { numRuns: 500 },
    );
  });

  test('law: the order of numbers is the order of their sortable forms', () => {
    fc.assert(
      fc.property(decimal, decimal, (x, y) => {
        const expected = scaled(x) < scaled(y) ? -1 : scaled(x) > scaled(y) ? 1 : 0;
        expect(compareNumbers(written(x), written(y))).toBe(expected);
        expect(sortableNumber(written(x)) === sortableNumber(written(y))).toBe(expected === 0);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['1.0', '1'],
    ['-0', '0'],
    ['+007.50', '7.5'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['1e3', '1000'],
    ['1.5E-7', '0.00000015'],
    ['12345678901234567890123456789012345678', '12345678901234567890123456789012345678'],
    ['9.9999999999999999999999999999999999999E125', `${'9'.repeat(38)}${'0'.repeat(88)}`],
  ])('%s is kept as %s', (text, canonical) => expect(canonicalNumber(text)).toBe(canonical));

  test.each([
    ['', 'The parameter cannot be converted to a numeric value'],
    ['abc', 'The parameter cannot be converted to a numeric value: abc'],
    ['1e126', /Number overflow/],
    ['1e-131', /Number underflow/],
    ['123456789012345678901234567890123456789', 'Attempting to store more than 38 significant digits in a Number'],
  ])('%s is refused', (text, message) => expect(() => canonicalNumber(text)).toThrow(message));

  test('a sum of more than 38 digits is refused, not rounded', () => {
    expect(() => addNumbers('1e38', '1e-1')).toThrow('Attempting to store more than 38 significant digits in a Number');
    expect(addNumbers('99999999999999999999999999999999999999', '1')).toBe(`1${'0'.repeat(38)}`);
  });
});

test('law: a sorted list holds what a sorted array holds, from any point in either direction', () => {
  const step = fc.tuple(fc.constantFrom('put', 'delete'), fc.nat(60));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.nat(60), (steps, from) => {
      const list = new SortedList<number>((a, b) => a - b);
      const model = new Set<number>();
      for (const [what, n] of steps) {
        if (what === 'put') {
          list.put(n);
          model.add(n);
        } else {
          expect(list.delete(n)).toBe(model.delete(n) ? n : undefined);
        }
      }
      const sorted = [...model].sort((a, b) => a - b);
      expect(list.size).toBe(sorted.length);
      expect([...list.forward((n) => n >= from)]).toEqual(sorted.filter((n) => n >= from));
      expect([...list.backward((n) => n > from)]).toEqual(sorted.filter((n) => n <= from).reverse());
    }),
  );
  const big = new SortedList<number>((a, b) => a - b);
  for (let i = 0; i < 10_000; i++) big.put((i * 7919) % 10_000);
  expect([...big.forward()]).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
  expect([...big.backward()]).toEqual(Array.from({ length: 10_000 }, (_, i) => 9_999 - i));
});
