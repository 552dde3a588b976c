import { select } from '../../local/services/iot/rules/evaluate.js';
import type { MessageContext } from '../../local/services/iot/rules/functions.js';
import { parseStatement } from '../../local/services/iot/rules/parser.js';
import { fill, parseTemplate } from '../../local/services/iot/rules/template.js';

const payload = { color: 'red', temperature: 50, nested: { list: [1, 2, { deep: true }], text: '7' }, nothing: null, 'with space': 1 };
const raw = Buffer.from(JSON.stringify(payload));
const message: MessageContext = {
  payload,
  raw,
  topic: 'fleet/pump-1/data',
  clientId: 'pump-1',
  principal: 'ab'.repeat(32),
  sourceIp: '192.0.2.1',
  accountId: '000000000000',
  traceId: 'trace',
  nowMs: 1_795_342_500_757,
};
const run = (sql: string): unknown => select(parseStatement(sql), message)?.output;

test.each<[string, unknown]>([
  ["SELECT * FROM 'a'", payload],
  ["SELECT color FROM 'a'", { color: 'red' }],
  ["SELECT color AS rgb, temperature AS t FROM 'a'", { rgb: 'red', t: 50 }],
  ["select nested.text as x from 'a'", { x: '7' }],
  ["SELECT nested.text FROM 'a'", { text: '7' }],
  ["SELECT VALUE color FROM 'a'", 'red'],
  ["SELECT value FROM 'a'", {}],
  ["SELECT value AS v, color FROM 'a'", { color: 'red' }],
  ["SELECT *, topic(2) AS thing, 'presence' AS kind FROM 'a'", { ...payload, thing: 'pump-1', kind: 'presence' }],
  ["SELECT topic() AS t, topic(1) AS a, topic(9) AS missing FROM 'a'", { t: 'fleet/pump-1/data', a: 'fleet' }],
  [
    "SELECT clientid() AS c, principal() AS p, accountid() AS a, timestamp() AS t, traceid() AS i FROM 'a'",
    { c: 'pump-1', p: 'ab'.repeat(32), a: '000000000000', t: 1_795_342_500_757, i: 'trace' },
  ],
  ["SELECT upper(color) AS u, lower('ABC') AS l, concat(color, '-', temperature) AS c FROM 'a'", { u: 'RED', l: 'abc', c: 'red-50' }],
  [
    "SELECT startswith(color, 're') AS s, endswith(color, 're') AS e, indexof(color, 'd') AS i, substring(color, 1) AS x, substring(color, 0, 2) AS y FROM 'a'",
    { s: true, e: false, i: 2, x: 'ed', y: 're' },
  ],
  ["SELECT isundefined(nowhere) AS u, isnull(nothing) AS n FROM 'a'", { u: true, n: true }],
  ["SELECT cast(nested.text AS Decimal) + 1 AS a, cast(temperature AS String) AS b FROM 'a'", { a: 8, b: '50' }],
  [
    "SELECT get(nested, 'text') AS a, get(get(nested, 'list'), 1) AS b, get(get(get(nested, 'list'), 2), 'deep') AS c FROM 'a'",
    { a: '7', b: 2, c: true },
  ],
  ["SELECT encode(color, 'base64') AS e, decode('cmVk', 'base64') AS d FROM 'a'", { e: 'cmVk', d: 'red' }],
  ["SELECT encode(*, 'base64') AS e FROM 'a'", { e: raw.toString('base64') }],
  ["SELECT regexp_matches(color, '^r.d$') AS m FROM 'a'", { m: true }],
  ["SELECT CASE color WHEN 'blue' THEN 1 WHEN 'red' THEN 2 ELSE 3 END AS c FROM 'a'", { c: 2 }],
  ["SELECT CASE WHEN temperature > 40 THEN 'hot' ELSE 'cold' END AS c FROM 'a'", { c: 'hot' }],
  ["SELECT 2 + 3 * 4 AS a, (2 + 3) * 4 AS b, 7 % 4 AS c, -temperature AS d FROM 'a'", { a: 14, b: 20, c: 3, d: -50 }],
  ["SELECT nowhere.deep AS x FROM 'a'", {}],
  ["SELECT constructor AS x FROM 'a'", {}],
  ["SELECT color FROM 'a' WHERE temperature > 40 AND color <> 'blue'", { color: 'red' }],
  ["SELECT color FROM 'a' WHERE temperature > 60", undefined],
  ["SELECT color FROM 'a' WHERE nowhere = 1", undefined],
  ["SELECT color FROM 'a' WHERE NOT (temperature < 10) OR nowhere = 1", { color: 'red' }],
  ["SELECT color FROM 'a' WHERE color IN ['red', 'blue']", { color: 'red' }],
  ["SELECT color WHERE temperature = '50'", { color: 'red' }],
])('%s', (sql, expected) => {
  expect(run(sql)).toEqual(expected);
});

test.each([
  ['SELECT', /Expected an expression/],
  ['SELECT a FROM topic', /topic filter in quotes/],
  ["SELECT a FROM 'x' WHERE", /Expected an expression/],
  ["SELECT machinelearning_predict('a') AS x FROM 'x'", /not supported/],
  ["SELECT 1 + 1 FROM 'x'", /needs an alias/],
  ["SELECT a; DROP FROM 'x'", /Unexpected character/],
  ["SELECT a FROM 'x' GROUP BY a", /end of the statement/],
])('%s is refused', (sql, why) => {
  expect(() => parseStatement(sql)).toThrow(why);
});

test('substitution templates are filled, and an undefined value fails them', () => {
  expect(fill(parseTemplate('things/${topic(2)}/${color}'), message)).toBe('things/pump-1/red');
  expect(fill(parseTemplate('things/${nowhere}'), message)).toBeUndefined();
});

test('a binary payload passes through SELECT * as it is', () => {
  const bytes = Buffer.from([0xff, 0x00, 0x01]);
  expect(select(parseStatement("SELECT * FROM 'a'"), { ...message, payload: undefined, raw: bytes })).toEqual({ output: bytes });
  expect(select(parseStatement("SELECT encode(*, 'base64') AS b FROM 'a'"), { ...message, payload: undefined, raw: bytes })).toEqual({
    output: { b: '/wAB' },
  });
});
