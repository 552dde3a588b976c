/** Key conditions: `partition = :p`, or that AND one condition on the sort key. Everything else is refused, as AWS does. */
import { typeOf, type AttributeType, type AttributeValue } from '../attribute-value.js';
import { invalidParameter, validation } from '../errors.js';
import { parseCondition } from './condition-parser.js';
import type { Comparator, Condition, Operand } from './condition.js';
import type { Placeholders } from './placeholders.js';

export interface KeyAttribute {
  readonly name: string;
  readonly type: AttributeType;
}

export type SortCondition =
  | { readonly operator: '=' | '<' | '<=' | '>' | '>=' | 'begins_with'; readonly value: AttributeValue }
  | { readonly operator: 'between'; readonly value: AttributeValue; readonly high: AttributeValue };

export interface KeyCondition {
  readonly partition: AttributeValue;
  readonly sort?: SortCondition;
}

const MIRRORED: Readonly<Record<string, '=' | '<' | '<=' | '>' | '>='>> = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

export function parseKeyCondition(
  source: string,
  placeholders: Placeholders,
  partition: KeyAttribute,
  sort: KeyAttribute | undefined,
): KeyCondition {
  const conditions = new Map<string, SortCondition>();
  for (const part of conjuncts(parseCondition(source, 'KeyConditionExpression', placeholders))) {
    const { name, condition } = keyPart(part);
    if (conditions.has(name)) throw validation('KeyConditionExpressions must only contain one condition per key');
    conditions.set(name, condition);
  }
  if (conditions.size > 2) throw validation('Conditions can be of length 1 or 2 only');
  const onPartition = conditions.get(partition.name);
  if (!onPartition) throw validation(`Query condition missed key schema element: ${partition.name}`);
  checkType(onPartition, partition);
  if (onPartition.operator !== '=') throw validation('Query key condition not supported');
  if (conditions.size === 1) return { partition: onPartition.value };
  const onSort = sort && conditions.get(sort.name);
  if (!sort) throw validation('Query key condition not supported');
  if (!onSort) throw validation(`Query condition missed key schema element: ${sort.name}`);
  checkType(onSort, sort);
  return { partition: onPartition.value, sort: onSort };
}

function conjuncts(condition: Condition): readonly Condition[] {
  return condition.kind === 'and' ? [...conjuncts(condition.left), ...conjuncts(condition.right)] : [condition];
}

function keyPart(condition: Condition): { readonly name: string; readonly condition: SortCondition } {
  switch (condition.kind) {
    case 'compare': {
      if (condition.comparator === '<>') throw invalidOperator('<>');
      const [key, other, comparator] =
        condition.left.kind === 'path'
          ? ([condition.left, condition.right, condition.comparator] as const)
          : ([condition.right, condition.left, MIRRORED[condition.comparator] as Exclude<Comparator, '<>'>] as const);
      return { name: keyName(key), condition: { operator: comparator, value: literal(other) } };
    }
    case 'between':
      return {
        name: keyName(condition.operand),
        condition: { operator: 'between', value: literal(condition.low), high: literal(condition.high) },
      };
    case 'begins_with':
      return { name: keyName(condition.operand), condition: { operator: 'begins_with', value: literal(condition.argument) } };
    case 'and':
    case 'or':
    case 'not':
    case 'in':
      throw invalidOperator(condition.kind.toUpperCase());
    case 'attribute_exists':
    case 'attribute_not_exists':
    case 'attribute_type':
    case 'contains':
      throw invalidOperator(condition.kind);
  }
}

const invalidOperator = (operator: string) => validation(`Invalid operator used in KeyConditionExpression: ${operator}`);

function keyName(operand: Operand): string {
  if (operand.kind === 'size') throw validation('KeyConditionExpressions cannot contain nested operations');
  if (operand.kind === 'value') throw validation('Invalid condition in KeyConditionExpression: No key attribute specified');
  if (operand.path.length > 1) throw validation('KeyConditionExpressions cannot have conditions on nested attributes');
  return operand.path[0];
}

function literal(operand: Operand): AttributeValue {
  if (operand.kind === 'value') return operand.value;
  if (operand.kind === 'size') throw validation('KeyConditionExpressions cannot contain nested operations');
  throw validation('Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition');
}

function checkType(condition: SortCondition, key: KeyAttribute): void {
  const values = condition.operator === 'between' ? [condition.value, condition.high] : [condition.value];
  if (values.some((value) => typeOf(value) !== key.type)) throw invalidParameter('Condition parameter type does not match schema type');
  if (values.some((value) => value.S === '' || value.B?.length === 0) && condition.operator !== 'begins_with') {
    throw validation(
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${key.type === 'S' ? 'string' : 'binary'} value. Key: ${key.name}`,
    );
  }
}
