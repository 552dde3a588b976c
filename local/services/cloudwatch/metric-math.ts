/**
 * Metric math: arithmetic, comparisons, `&& ||`, and the functions ABS, AVG, CEIL, FILL, FLOOR, IF, MAX, MIN, SUM and METRICS() (CloudWatch
 * user guide, "Using metric math"). Everything else is refused when the alarm or query is made.
 */
import { AwsError } from '../../models/service.js';

/** The value of each id in one period; `undefined`: no data. */
export type Values = Readonly<Record<string, number | undefined>>;
export type Expression = (values: Values) => number | undefined;
type Argument = { readonly one: Expression; readonly list?: (values: Values) => (number | undefined)[] };

const refuse = (text: string, reason: string): never => {
  throw new AwsError(
    'ValidationException',
    `Invalid metrics list: error in expression '${text}': ${reason} (the desk serves simple metric math only).`,
  );
};

const BINARY: Readonly<Record<string, { readonly level: number; readonly apply: (a: number, b: number) => number }>> = {
  '||': { level: 1, apply: (a, b) => Number(a !== 0 || b !== 0) },
  '&&': { level: 2, apply: (a, b) => Number(a !== 0 && b !== 0) },
  '==': { level: 3, apply: (a, b) => Number(a === b) },
  '!=': { level: 3, apply: (a, b) => Number(a !== b) },
  '<': { level: 3, apply: (a, b) => Number(a < b) },
  '<=': { level: 3, apply: (a, b) => Number(a <= b) },
  '>': { level: 3, apply: (a, b) => Number(a > b) },
  '>=': { level: 3, apply: (a, b) => Number(a >= b) },
  '+': { level: 4, apply: (a, b) => a + b },
  '-': { level: 4, apply: (a, b) => a - b },
  '*': { level: 5, apply: (a, b) => a * b },
  '/': { level: 5, apply: (a, b) => a / b },
  '^': { level: 6, apply: (a, b) => a ** b },
};

/** Compiles an expression; `ids` are the metrics and expressions it may name. */
export function compileMath(text: string, ids: readonly string[]): Expression {
  const tokens = text.match(/\d+(?:\.\d+)?|[A-Za-z_]\w*|&&|\|\||[<>=!]=|[-+*/^<>(),[\]]|"[^"]*"|\S/g) ?? [];
  let at = 0;
  const expect = (token: string): void => {
    if (tokens[at++] !== token) refuse(text, `expected ${token}`);
  };

  const operation = (level: number): Argument => {
    let left = operand();
    for (;;) {
      const operator = BINARY[tokens[at] ?? ''];
      if (!operator || operator.level < level) return left;
      at++;
      const [a, b] = [left.one, operation(operator.level + 1).one];
      left = { one: (values) => both(a(values), b(values), operator.apply) };
    }
  };

  const operand = (): Argument => {
    const token = tokens[at++] ?? refuse(text, 'it ends too early');
    if (/^\d/.test(token)) return { one: () => Number(token) };
    if (token === '-') {
      const { one } = operand();
      return { one: (values) => both(0, one(values), (zero, value) => zero - value) };
    }
    if (token === '(') {
      const inner = operation(0);
      expect(')');
      return inner;
    }
    if (token === '[') {
      const items = list(']');
      const all = (values: Values): (number | undefined)[] => items.map(({ one }) => one(values));
      return { one: (values) => all(values)[0], list: all };
    }
    if (tokens[at] === '(') {
      at++;
      return call(token, list(')'));
    }
    if (!ids.includes(token)) return refuse(text, `unknown id ${token}`);
    return { one: (values) => values[token] };
  };

  const list = (end: string): Argument[] => {
    const items: Argument[] = [];
    while (tokens[at] !== end) {
      if (items.length > 0) expect(',');
      items.push(operation(0));
    }
    at++;
    return items;
  };

  const call = (name: string, given: readonly Argument[]): Argument => {
    const metrics = (values: Values): (number | undefined)[] => ids.map((id) => values[id]);
    if (name === 'METRICS' && given.length === 0) return { one: (values) => metrics(values)[0], list: metrics };
    const make = FUNCTIONS[name] ?? refuse(text, `function ${name}`);
    return { one: make(given, () => refuse(text, `arguments of ${name}`)) };
  };

  const result = operation(0);
  if (at < tokens.length) return refuse(text, `unexpected ${tokens[at]}`);
  return result.one;
}

function both(a: number | undefined, b: number | undefined, apply: (a: number, b: number) => number): number | undefined {
  if (a === undefined || b === undefined) return undefined;
  const value = apply(a, b);
  // A division by zero gives no data point.
  return Number.isFinite(value) ? value : undefined;
}

type Make = (given: readonly Argument[], wrong: () => never) => Expression;

const mapped =
  (apply: (value: number) => number): Make =>
  ([first], wrong) => {
    const { one } = first ?? wrong();
    return (values) => both(0, one(values), (_zero, value) => apply(value));
  };

const folded =
  (apply: (present: readonly number[]) => number): Make =>
  (given, wrong) => {
    const lists = given.map(({ list, one }) => list ?? ((values: Values) => [one(values)]));
    if (lists.length === 0) return wrong();
    return (values) => {
      const present = lists.flatMap((list) => list(values)).filter((value) => value !== undefined);
      return present.length === 0 ? undefined : apply(present);
    };
  };

const FUNCTIONS: Readonly<Record<string, Make>> = {
  ABS: mapped(Math.abs),
  CEIL: mapped(Math.ceil),
  FLOOR: mapped(Math.floor),
  SUM: folded((present) => present.reduce((sum, value) => sum + value, 0)),
  AVG: folded((present) => present.reduce((sum, value) => sum + value, 0) / present.length),
  MAX: folded((present) => Math.max(...present)),
  MIN: folded((present) => Math.min(...present)),
  FILL: ([value, filler, ...more], wrong) => {
    if (!value || !filler || more.length > 0) return wrong();
    return (values) => value.one(values) ?? filler.one(values);
  },
  IF: ([condition, then, otherwise, ...more], wrong) => {
    if (!condition || !then || more.length > 0) return wrong();
    return (values) => {
      const holds = condition.one(values);
      return holds === undefined ? undefined : holds !== 0 ? then.one(values) : otherwise?.one(values);
    };
  },
};
