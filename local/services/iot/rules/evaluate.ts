/**
 * Evaluates AWS IoT SQL on one message. Undefined spreads: an operator on values that it cannot convert gives Undefined, and a WHERE that is
 * not `true` does not let the message through (https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-operators.html).
 */
import { callFunction, toNumber, toText, type MessageContext } from './functions.js';
import type { BinaryOperator, Expression, Statement } from './syntax.js';

export function evaluate(expression: Expression, message: MessageContext): unknown {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'star':
      return message.payload;
    case 'name':
      return member(message.payload, expression.name);
    case 'member':
      return member(evaluate(expression.of, message), expression.name);
    case 'call': {
      const parameters = expression.parameters.map((parameter) => evaluate(parameter, message));
      return expression.name.toLowerCase() === 'cast'
        ? cast(parameters[0], expression.castType)
        : callFunction(expression.name, parameters, message);
    }
    case 'unary': {
      const operand = evaluate(expression.operand, message);
      if (expression.operator === 'not') return toBoolean(operand) === undefined ? undefined : !toBoolean(operand);
      const number = toNumber(operand);
      return number === undefined ? undefined : -number;
    }
    case 'binary':
      return binary(expression.operator, evaluate(expression.left, message), () => evaluate(expression.right, message));
    case 'in': {
      const list = evaluate(expression.list, message);
      const value = evaluate(expression.value, message);
      return Array.isArray(list) ? list.some((item) => equal(item, value) === true) : undefined;
    }
    case 'case': {
      const subject = expression.subject ? evaluate(expression.subject, message) : true;
      const hit = expression.branches.find((branch) => equal(evaluate(branch.when, message), subject) === true);
      if (hit) return evaluate(hit.result, message);
      return expression.otherwise ? evaluate(expression.otherwise, message) : undefined;
    }
    case 'array':
      return expression.items.map((item) => evaluate(item, message));
    case 'object':
      return Object.fromEntries(expression.entries.map((entry) => [entry.key, evaluate(entry.value, message)]));
  }
}

/** Only own members: a payload key `constructor` must not reach JavaScript's. */
function member(of: unknown, name: string): unknown {
  if (Array.isArray(of)) return name === 'length' ? undefined : (of as unknown[])[Number(name)];
  return typeof of === 'object' && of !== null && Object.hasOwn(of, name) ? (of as Record<string, unknown>)[name] : undefined;
}

function toBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  const lower = value.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
}

/** Numbers compare as numbers where both sides convert, otherwise values of one kind compare by value. */
function equal(left: unknown, right: unknown): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  if (typeof left === typeof right) return typeof left === 'object' ? JSON.stringify(left) === JSON.stringify(right) : left === right;
  const numbers = [toNumber(left), toNumber(right)] as const;
  return numbers[0] !== undefined && numbers[1] !== undefined ? numbers[0] === numbers[1] : false;
}

function ordered(left: unknown, right: unknown): number | undefined {
  const numbers = [toNumber(left), toNumber(right)] as const;
  if (numbers[0] !== undefined && numbers[1] !== undefined) return Math.sign(numbers[0] - numbers[1]);
  if (typeof left !== 'string' || typeof right !== 'string') return undefined;
  return left < right ? -1 : left > right ? 1 : 0;
}

function arithmetic(operator: '+' | '-' | '*' | '/' | '%', left: unknown, right: unknown): unknown {
  const numbers = [toNumber(left), toNumber(right)] as const;
  if (numbers[0] === undefined || numbers[1] === undefined) {
    // `+` joins texts when either side is one and not both convert to numbers.
    const texts = [toText(left), toText(right)] as const;
    return operator === '+' && (typeof left === 'string' || typeof right === 'string') && texts[0] !== undefined && texts[1] !== undefined
      ? texts[0] + texts[1]
      : undefined;
  }
  const [a, b] = [numbers[0], numbers[1]];
  const result = { '+': () => a + b, '-': () => a - b, '*': () => a * b, '/': () => a / b, '%': () => a % b }[operator]();
  return Number.isFinite(result) ? result : undefined;
}

function binary(operator: BinaryOperator, left: unknown, rightOf: () => unknown): unknown {
  if (operator === 'and' || operator === 'or') {
    const first = toBoolean(left);
    if (first === (operator === 'or')) return first;
    const second = toBoolean(rightOf());
    if (second === (operator === 'or')) return second;
    return first === undefined || second === undefined ? undefined : operator === 'and';
  }
  const right = rightOf();
  if (operator === '=') return equal(left, right);
  if (operator === '<>') return equal(left, right) === undefined ? undefined : !equal(left, right);
  if (operator === '+' || operator === '-' || operator === '*' || operator === '/' || operator === '%')
    return arithmetic(operator, left, right);
  const order = ordered(left, right);
  if (order === undefined) return undefined;
  return { '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[operator];
}

function cast(value: unknown, type: string | undefined): unknown {
  switch ((type ?? '').toLowerCase()) {
    case 'string':
    case 'varchar':
    case 'text':
      return toText(value);
    case 'int':
    case 'integer': {
      const number = toNumber(value);
      return number === undefined ? undefined : Math.trunc(number);
    }
    case 'decimal':
    case 'number':
      return typeof value === 'boolean' ? Number(value) : toNumber(value);
    case 'bool':
    case 'boolean':
      return typeof value === 'number' ? value !== 0 : toBoolean(value);
    default:
      return value;
  }
}

/** `undefined`: the WHERE clause did not let the message through. */
export function select(statement: Statement, message: MessageContext): { readonly output: unknown } | undefined {
  if (statement.where && evaluate(statement.where, message) !== true) return undefined;
  const [first] = statement.columns;
  if (statement.selectValue) return { output: evaluate(first!.expression, message) };
  // `SELECT *` alone passes the payload on as it is, also when it is binary (binary-payloads.html).
  if (statement.columns.length === 1 && first!.name === undefined) return { output: message.payload ?? message.raw };
  const output: Record<string, unknown> = {};
  for (const { expression, name } of statement.columns) {
    const value = evaluate(expression, message);
    if (name === undefined) {
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) Object.assign(output, value);
    } else if (value !== undefined) {
      output[name] = value;
    }
  }
  return { output };
}
