/** ConsumedCapacity of an answer. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
import type { Index, Table } from './table.js';

type Wanted = 'INDEXES' | 'TOTAL' | 'NONE' | undefined;

/** Half a unit for 4 KB read eventually consistent, one strongly, two in a transaction; at least one portion of 4 KB. */
export function readCapacity(wanted: Wanted, table: Table, bytes: number, unit: 0.5 | 1 | 2, index?: Index): object | undefined {
  return capacity(wanted, table, Math.max(1, Math.ceil(bytes / 4096)) * unit, index ? 0 : undefined, index);
}

/** One unit for 1 KB written, two in a transaction. Writes to indexes are counted like one more write each. */
export function writeCapacity(wanted: Wanted, table: Table, bytes: number, unit: 1 | 2 = 1): object | undefined {
  const units = Math.max(1, Math.ceil(bytes / 1024)) * unit;
  return capacity(wanted, table, units, units);
}

function capacity(wanted: Wanted, table: Table, units: number, tableUnits: number | undefined, index?: Index): object | undefined {
  if (wanted === undefined || wanted === 'NONE') return undefined;
  const total = { TableName: table.name, CapacityUnits: units };
  if (wanted === 'TOTAL') return total;
  return {
    ...total,
    Table: { CapacityUnits: tableUnits ?? units },
    ...(index ? { GlobalSecondaryIndexes: { [index.name]: { CapacityUnits: units } } } : {}),
  };
}

/** `{ [member]: value }`, or nothing where there is no value. */
export const present = <T>(member: string, value: T | undefined): Record<string, T> => (value === undefined ? {} : { [member]: value });
