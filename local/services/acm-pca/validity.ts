import { AwsError } from '../../models/service.js';

export interface Validity {
  readonly Type: string;
  readonly Value: number;
}

/** notBefore lies an hour before issuance unless the request says otherwise (IssueCertificate, ValidityNotBefore). */
const BACKDATED_MS = 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** SHORT_LIVED_CERTIFICATE mode: seven days (FACTS A5). */
export const SHORT_LIVED_MS = 7 * DAY_MS;

export function notBefore(requested: Validity | undefined, now: Date): Date {
  if (requested === undefined) return wholeSeconds(new Date(now.getTime() - BACKDATED_MS));
  if (requested.Type !== 'ABSOLUTE' && requested.Type !== 'END_DATE') {
    throw new AwsError('InvalidArgsException', `ValidityNotBefore.Type: got '${requested.Type}', expected ABSOLUTE or END_DATE.`);
  }
  return endOf(requested, now);
}

/** The end of a validity period that begins now. Whole seconds: X.509 has no others. */
export function endOf(validity: Validity, now: Date): Date {
  const { Type: type, Value: value } = validity;
  if (!Number.isSafeInteger(value) || value < 1)
    throw new AwsError('ValidationException', `Validity.Value: got ${value}, expected a whole number of at least 1`);
  if (type === 'END_DATE') return fromDigits(String(value));
  if (type === 'ABSOLUTE') return wholeSeconds(new Date(value * 1000));
  if (type === 'DAYS') return wholeSeconds(new Date(now.getTime() + value * DAY_MS));
  const end = new Date(now);
  if (type === 'MONTHS') end.setUTCMonth(end.getUTCMonth() + value);
  else if (type === 'YEARS') end.setUTCFullYear(end.getUTCFullYear() + value);
  else throw new AwsError('ValidationException', `Validity.Type: got '${type}', expected END_DATE, ABSOLUTE, DAYS, MONTHS or YEARS`);
  return wholeSeconds(end);
}

/** END_DATE is a number of digits: UTCTime YYMMDDHHMMSS or GeneralizedTime YYYYMMDDHHMMSS. */
function fromDigits(digits: string): Date {
  const [, years = '', rest = ''] = /^(\d{2}|\d{4})(\d{10})$/.exec(digits) ?? [];
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = (rest.match(/\d\d/g) ?? []).map(Number);
  const short = Number(years);
  const year = years.length === 4 ? short : short < 50 ? 2000 + short : 1900 + short;
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  if (years === '' || date.getUTCMonth() !== month - 1)
    throw new AwsError('InvalidArgsException', `Validity: got END_DATE ${digits}, expected YYYYMMDDHHMMSS or YYMMDDHHMMSS.`);
  return date;
}

const wholeSeconds = (date: Date): Date => new Date(Math.floor(date.getTime() / 1000) * 1000);
