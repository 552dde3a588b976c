import { holds, parseCondition } from '../../../local/iam/condition.js';
import { contextOf } from '../../../local/iam/variables.js';

type Context = Record<string, string | readonly string[]>;
const decide = (operator: string, values: readonly string[], context: Context, key = 'aws:k'): boolean =>
  holds(parseCondition(operator, key, values), contextOf(context), '2012-10-17');

/** The tables of the IAM user guide: "Condition operators" and "Multivalued context keys". */
const TABLE: readonly (readonly [sentence: string, operator: string, values: readonly string[], context: Context, expected: boolean])[] = [
  ['equal strings match', 'StringEquals', ['a'], { 'aws:k': 'a' }, true],
  ['StringEquals minds the case', 'StringEquals', ['A'], { 'aws:k': 'a' }, false],
  ['StringEquals knows no wildcards', 'StringEquals', ['*'], { 'aws:k': 'a' }, false],
  ['one of several values suffices', 'StringEquals', ['b', 'a'], { 'aws:k': 'a' }, true],
  ['none of several values may match a negated operator', 'StringNotEquals', ['b', 'a'], { 'aws:k': 'a' }, false],
  ['a negated operator holds for another value', 'StringNotEquals', ['b', 'c'], { 'aws:k': 'a' }, true],
  ['an absent key fails a positive operator', 'StringEquals', ['a'], {}, false],
  ['an absent key satisfies a negated operator', 'StringNotEquals', ['a'], {}, true],
  ['an absent key satisfies IfExists', 'StringEqualsIfExists', ['a'], {}, true],
  ['a present key must still match with IfExists', 'StringEqualsIfExists', ['a'], { 'aws:k': 'b' }, false],
  ['keys are found whatever their case', 'StringEquals', ['a'], { 'AWS:K': 'a' }, true],
  ['EqualsIgnoreCase does not mind the case', 'StringEqualsIgnoreCase', ['A'], { 'aws:k': 'a' }, true],
  ['StringLike knows * and ?', 'StringLike', ['a*c?'], { 'aws:k': 'abbbcd' }, true],
  ['a dot is a dot', 'StringLike', ['a.c'], { 'aws:k': 'abc' }, false],
  ['Null true holds for an absent key', 'Null', ['true'], {}, true],
  ['Null true fails for a present key', 'Null', ['true'], { 'aws:k': 'a' }, false],
  ['Null false holds for a present key', 'Null', ['false'], { 'aws:k': 'a' }, true],
  ['Null false fails for an absent key', 'Null', ['false'], {}, false],
  ['Bool compares words', 'Bool', ['false'], { 'aws:k': 'false' }, true],
  ['numbers are compared as numbers', 'NumericLessThan', ['10'], { 'aws:k': '9' }, true],
  ['a text is no number', 'NumericLessThan', ['10'], { 'aws:k': 'x' }, false],
  ['a date before another', 'DateLessThan', ['2026-11-23T00:00:00Z'], { 'aws:k': '2026-11-22T00:00:00Z' }, true],
  ['dates may be epoch seconds', 'DateGreaterThan', ['0'], { 'aws:k': '2026-11-22T00:00:00Z' }, true],
  ['an address within a range', 'IpAddress', ['203.0.113.0/24'], { 'aws:k': '203.0.113.77' }, true],
  ['an address beyond a range', 'IpAddress', ['203.0.113.0/25'], { 'aws:k': '203.0.113.200' }, false],
  ['an address without a mask is one address', 'IpAddress', ['203.0.113.7'], { 'aws:k': '203.0.113.7' }, true],
  ['version 6 addresses too', 'IpAddress', ['2001:db8::/32'], { 'aws:k': '2001:db8:1::5' }, true],
  ['NotIpAddress is the opposite', 'NotIpAddress', ['10.0.0.0/8'], { 'aws:k': '203.0.113.7' }, true],
  ['ArnLike knows wildcards within a part', 'ArnLike', ['arn:aws:sns:*:1:t-*'], { 'aws:k': 'arn:aws:sns:eu-west-1:1:t-1' }, true],
  ['a wildcard of ArnLike does not cross a colon', 'ArnLike', ['arn:aws:sns:*:t'], { 'aws:k': 'arn:aws:sns:eu-west-1:1:t' }, false],
  ['ArnEquals behaves as ArnLike', 'ArnEquals', ['arn:aws:sns:*:1:t'], { 'aws:k': 'arn:aws:sns:eu-west-1:1:t' }, true],
  ['ArnNotEquals is the opposite', 'ArnNotEquals', ['arn:aws:sns:*:1:t'], { 'aws:k': 'arn:aws:sns:eu-west-1:2:t' }, true],
  ['what is no ARN is not like one', 'ArnLike', ['arn:aws:sns:*:1:t'], { 'aws:k': 'x' }, false],
  ['ForAllValues holds when every value is listed', 'ForAllValues:StringEquals', ['a', 'b', 'c'], { 'aws:k': ['a', 'b'] }, true],
  ['ForAllValues fails when one is not', 'ForAllValues:StringEquals', ['a', 'b'], { 'aws:k': ['a', 'z'] }, false],
  ['ForAllValues holds for an absent key', 'ForAllValues:StringEquals', ['a'], {}, true],
  ['ForAnyValue holds when one is listed', 'ForAnyValue:StringEquals', ['a', 'b'], { 'aws:k': ['a', 'z'] }, true],
  ['ForAnyValue fails when none is', 'ForAnyValue:StringEquals', ['a', 'b'], { 'aws:k': ['y', 'z'] }, false],
  ['ForAnyValue fails for an absent key', 'ForAnyValue:StringEquals', ['a'], {}, false],
  [
    'ForAnyValue with a negated operator asks for one that is not listed',
    'ForAnyValue:StringNotEquals',
    ['a'],
    { 'aws:k': ['a', 'z'] },
    true,
  ],
  [
    'ForAllValues with a negated operator asks for none that is listed',
    'ForAllValues:StringNotEquals',
    ['a'],
    { 'aws:k': ['a', 'z'] },
    false,
  ],
  ['a policy variable takes its value from the request', 'StringEquals', ['${aws:other}'], { 'aws:k': 'a', 'aws:other': 'a' }, true],
  ['a wildcard out of a variable is a literal', 'StringLike', ['${aws:other}'], { 'aws:k': 'abc', 'aws:other': '*' }, false],
  ['a variable without a value matches nothing', 'StringEquals', ['${aws:none}'], { 'aws:k': '' }, false],
  ['a variable may have a default', 'StringEquals', ["${aws:none, 'x'}"], { 'aws:k': 'x' }, true],
  ['${*} is a star', 'StringEquals', ['${*}'], { 'aws:k': '*' }, true],
];

describe('condition operators', () => {
  it.each(TABLE)('%s', (_sentence, operator, values, context, expected) => {
    expect(decide(operator, values, context)).toBe(expected);
  });

  it('has no variables in documents of the older version', () => {
    const condition = parseCondition('StringEquals', 'aws:k', ['${aws:other}']);
    expect(holds(condition, contextOf({ 'aws:k': '${aws:other}', 'aws:other': 'a' }), '2008-10-17')).toBe(true);
  });

  it.each(['StringMatches', 'NullIfExists', 'ForSomeValues:StringEquals', 'stringequals'])(
    'throws at load for the operator %s',
    (operator) => {
      expect(() => parseCondition(operator, 'aws:k', ['a'])).toThrow(operator);
    },
  );
});
