/**
 * DynamoDB numbers: up to 38 significant decimal digits, magnitudes from 1E-130 to 9.99…E+125, exact. They are kept as decimal strings and
 * computed with bigint, never with floating point.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
 */
import { validation } from './errors.js';

/** coefficient × 10^exponent. The coefficient has no trailing zeros; zero is 0 × 10^0. */
interface Decimal {
  readonly coefficient: bigint;
  readonly exponent: number;
}

const LARGEST_MAGNITUDE = 125;
const SMALLEST_MAGNITUDE = -130;
const DIGITS = 38;
const FORM = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/;
const PLAIN = /^(?:0|-?[1-9]\d{0,14})$/;

/** The form in which DynamoDB gives numbers back: plain decimal, no exponent, no superfluous zeros. Refuses what is not a number. */
export const canonicalNumber = (text: string): string => (PLAIN.test(text) ? text : format(parse(text)));

/** Exact sum of two canonical numbers. More than 38 digits are refused, not rounded. */
export const addNumbers = (a: string, b: string): string => format(check(sum(parse(a), parse(b))));

export function subtractNumbers(a: string, b: string): string {
  const { coefficient, exponent } = parse(b);
  return format(check(sum(parse(a), { coefficient: -coefficient, exponent })));
}

export function compareNumbers(a: string, b: string): number {
  const x = sortableNumber(a);
  const y = sortableNumber(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/**
 * A string whose order is the order of the numbers: sign, magnitude, digits; for negative numbers each in nines' complement, ended by a
 * character above the digits, because -12 is greater than -123.
 */
export function sortableNumber(text: string): string {
  const { coefficient, exponent } = parse(text);
  if (coefficient === 0n) return '1';
  const digits = (coefficient < 0n ? -coefficient : coefficient).toString();
  const biased = digits.length + exponent - 1 + 200;
  if (coefficient > 0n) return `2${String(biased).padStart(3, '0')}${digits}`;
  return `0${String(999 - biased).padStart(3, '0')}${digits.replace(/\d/g, (digit) => String(9 - Number(digit)))}~`;
}

function parse(text: string): Decimal {
  const match = FORM.exec(text);
  const whole = match?.[2] ?? '';
  const fraction = match?.[3] ?? '';
  if (!match || whole.length + fraction.length === 0) {
    throw validation(`The parameter cannot be converted to a numeric value${text === '' ? '' : `: ${text}`}`);
  }
  const magnitude = BigInt(whole + fraction);
  return check(trimmed(match[1] === '-' ? -magnitude : magnitude, Number(match[4] ?? 0) - fraction.length));
}

function trimmed(coefficient: bigint, exponent: number): Decimal {
  if (coefficient === 0n) return { coefficient: 0n, exponent: 0 };
  const zeros = /0*$/.exec(coefficient.toString())?.[0].length ?? 0;
  return zeros === 0 ? { coefficient, exponent } : { coefficient: coefficient / 10n ** BigInt(zeros), exponent: exponent + zeros };
}

function check(value: Decimal): Decimal {
  if (value.coefficient === 0n) return value;
  const digits = digitsOf(value).length;
  const magnitude = digits + value.exponent - 1;
  if (magnitude > LARGEST_MAGNITUDE) {
    throw validation('Number overflow. Attempting to store a number with magnitude larger than supported range');
  }
  if (magnitude < SMALLEST_MAGNITUDE) {
    throw validation('Number underflow. Attempting to store a number with magnitude smaller than supported range');
  }
  if (digits > DIGITS) throw validation('Attempting to store more than 38 significant digits in a Number');
  return value;
}

function sum(a: Decimal, b: Decimal): Decimal {
  const exponent = Math.min(a.exponent, b.exponent);
  const scaled = (value: Decimal) => value.coefficient * 10n ** BigInt(value.exponent - exponent);
  return trimmed(scaled(a) + scaled(b), exponent);
}

const digitsOf = (value: Decimal): string => (value.coefficient < 0n ? -value.coefficient : value.coefficient).toString();

function format(value: Decimal): string {
  const sign = value.coefficient < 0n ? '-' : '';
  const digits = digitsOf(value);
  if (value.exponent >= 0) return sign + digits + '0'.repeat(value.exponent);
  const point = digits.length + value.exponent;
  return point > 0 ? `${sign}${digits.slice(0, point)}.${digits.slice(point)}` : `${sign}0.${'0'.repeat(-point)}${digits}`;
}
