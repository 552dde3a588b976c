/** Is what was measured normal? Criteria say what is (API_BehaviorCriteria, DDG detect-behaviors.html). */
import { BlockList, isIP } from 'node:net';
import type { BehaviorCriteria, MetricValue } from './detect.js';

/** `limit`: the number that a statistical threshold stands for at present. `undefined`: it stands for none yet, nothing is judged. */
export function conforms(criteria: BehaviorCriteria, measured: MetricValue, limit?: number): boolean | undefined {
  const { comparisonOperator: operator = '', value = {}, statisticalThreshold } = criteria;
  const number = measured.count ?? measured.number;
  if (number !== undefined) {
    const wanted = statisticalThreshold ? limit : (value.count ?? value.number);
    return wanted === undefined ? undefined : compares(operator, number, wanted);
  }
  const elements: readonly (string | number)[] = measured.ports ?? measured.cidrs ?? measured.numbers ?? measured.strings ?? [];
  const isIn = measured.cidrs ? inBlocks(value.cidrs ?? []) : inSet(value.ports ?? value.numbers ?? value.strings ?? []);
  // "An empty list is always considered in conformity" (device-defender-troubleshoot.html).
  return operator.startsWith('not-') ? !elements.some(isIn) : elements.every(isIn);
}

export const isUpperLimit = ({ comparisonOperator }: BehaviorCriteria): boolean => comparisonOperator?.startsWith('less-') === true;

function compares(operator: string, number: number, wanted: number): boolean | undefined {
  if (operator === 'less-than') return number < wanted;
  if (operator === 'less-than-equals') return number <= wanted;
  if (operator === 'greater-than') return number > wanted;
  return operator === 'greater-than-equals' ? number >= wanted : undefined;
}

const inSet =
  (members: readonly (string | number)[]) =>
  (element: string | number): boolean =>
    members.includes(element);

function inBlocks(cidrs: readonly string[]): (element: string | number) => boolean {
  const blocks = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', prefix] = cidr.split('/');
    const family = isIP(address);
    if (family === 0) continue;
    const type = family === 4 ? 'ipv4' : 'ipv6';
    blocks.addSubnet(address, prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix), type);
  }
  return (element) => {
    const family = isIP(String(element));
    return family !== 0 && blocks.check(String(element), family === 4 ? 'ipv4' : 'ipv6');
  };
}

/**
 * What a statistic resolves to: "p90 … 90% of all measurements were below" (DDG detect-behaviors.html). Nearest rank; `values` is not empty.
 */
export function statisticOf(statistic: string, values: readonly number[]): number {
  if (statistic === 'Average') return values.reduce((sum, value) => sum + value, 0) / values.length;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((Number(statistic.slice(1)) / 100) * sorted.length) - 1)]!;
}
