/** Composite alarms: `ALARM("a") AND NOT (OK(b) OR TRUE)` over the states of other alarms (PutCompositeAlarm API reference, AlarmRule). */
import { AwsError } from '../../models/service.js';
import type { AlarmState } from './alarm.js';

/** State of an alarm by name or ARN; `undefined`: there is none. */
export type StateOf = (alarm: string) => AlarmState | undefined;
type Rule = (stateOf: StateOf) => boolean;

export interface CompositeRule {
  readonly holds: Rule;
  /** The alarms that it names. */
  readonly names: readonly string[];
}

export function parseAlarmRule(text: string): CompositeRule {
  const tokens = text.match(/\(|\)|"[^"]*"|[^\s()"]+/g) ?? [];
  const names: string[] = [];
  let at = 0;
  const refuse = (): never => {
    throw new AwsError('ValidationException', `AlarmRule is not valid near '${tokens[at] ?? 'its end'}'.`);
  };
  const either = (): Rule => {
    const parts = [all()];
    while (tokens[at]?.toUpperCase() === 'OR') {
      at++;
      parts.push(all());
    }
    return (stateOf) => parts.some((part) => part(stateOf));
  };
  const all = (): Rule => {
    const parts = [one()];
    while (tokens[at]?.toUpperCase() === 'AND') {
      at++;
      parts.push(one());
    }
    return (stateOf) => parts.every((part) => part(stateOf));
  };
  const one = (): Rule => {
    const token = (tokens[at++] ?? refuse()).toUpperCase();
    if (token === 'NOT') {
      const inner = one();
      return (stateOf) => !inner(stateOf);
    }
    if (token === 'TRUE' || token === 'FALSE') return () => token === 'TRUE';
    if (token === '(') {
      const inner = either();
      if (tokens[at++] !== ')') return refuse();
      return inner;
    }
    if (token !== 'ALARM' && token !== 'OK' && token !== 'INSUFFICIENT_DATA') return refuse();
    if (tokens[at++] !== '(') return refuse();
    const name = (tokens[at++] ?? refuse()).replaceAll('"', '');
    if (tokens[at++] !== ')') return refuse();
    names.push(name);
    return (stateOf) => stateOf(name) === token;
  };
  const holds = either();
  if (at < tokens.length) return refuse();
  return { holds, names };
}
