/** Conditions and filters: the tree that the parser builds, and its evaluation against an item. */
import { bytesKey, sameValue, setMembers, typeOf, type AttributeType, type AttributeValue, type Item } from '../attribute-value.js';
import { compareNumbers } from '../number.js';
import { readPath, type DocumentPath } from './document-path.js';

export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>=';
export type Operand =
  | { readonly kind: 'path'; readonly path: DocumentPath }
  | { readonly kind: 'value'; readonly value: AttributeValue }
  | { readonly kind: 'size'; readonly of: Operand };
export type Condition =
  | { readonly kind: 'compare'; readonly comparator: Comparator; readonly left: Operand; readonly right: Operand }
  | { readonly kind: 'between'; readonly operand: Operand; readonly low: Operand; readonly high: Operand }
  | { readonly kind: 'in'; readonly operand: Operand; readonly list: readonly Operand[] }
  | { readonly kind: 'attribute_exists' | 'attribute_not_exists'; readonly path: DocumentPath }
  | { readonly kind: 'attribute_type'; readonly operand: Operand; readonly type: AttributeType }
  | { readonly kind: 'begins_with' | 'contains'; readonly operand: Operand; readonly argument: Operand }
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly condition: Condition };

/** Whether the item meets the condition. An item that does not exist is an item without attributes. */
export function holds(condition: Condition, item: Item): boolean {
  const of = (operand: Operand) => valueOf(operand, item);
  switch (condition.kind) {
    case 'and':
      return holds(condition.left, item) && holds(condition.right, item);
    case 'or':
      return holds(condition.left, item) || holds(condition.right, item);
    case 'not':
      return !holds(condition.condition, item);
    case 'compare':
      return compare(condition.comparator, of(condition.left), of(condition.right));
    case 'between':
      return compare('>=', of(condition.operand), of(condition.low)) && compare('<=', of(condition.operand), of(condition.high));
    case 'in':
      return condition.list.some((member) => compare('=', of(condition.operand), of(member)));
    case 'attribute_exists':
      return readPath(item, condition.path) !== undefined;
    case 'attribute_not_exists':
      return readPath(item, condition.path) === undefined;
    case 'attribute_type': {
      const value = of(condition.operand);
      return value !== undefined && typeOf(value) === condition.type;
    }
    case 'begins_with':
      return beginsWith(of(condition.operand), of(condition.argument));
    case 'contains':
      return contains(of(condition.operand), of(condition.argument));
  }
}

function valueOf(operand: Operand, item: Item): AttributeValue | undefined {
  if (operand.kind === 'value') return operand.value;
  if (operand.kind === 'path') return readPath(item, operand.path);
  const value = valueOf(operand.of, item);
  const size = value && sizeOf(value);
  return size === undefined ? undefined : { N: String(size) };
}

/** Characters of a string, bytes of a binary, members of a set, list or map; other types have no size. */
function sizeOf(value: AttributeValue): number | undefined {
  if (value.M) return Object.keys(value.M).length;
  return value.S?.length ?? value.B?.length ?? value.L?.length ?? setMembers(value)?.length;
}

/** Values of different types are never equal and have no order; a missing attribute is unequal to everything. */
function compare(comparator: Comparator, left: AttributeValue | undefined, right: AttributeValue | undefined): boolean {
  if (comparator === '=') return left !== undefined && right !== undefined && sameValue(left, right);
  if (comparator === '<>') return left === undefined || right === undefined || !sameValue(left, right);
  const order = left && right ? compareScalars(left, right) : undefined;
  if (order === undefined) return false;
  if (comparator === '<') return order < 0;
  if (comparator === '<=') return order <= 0;
  return comparator === '>' ? order > 0 : order >= 0;
}

/** Strings by their UTF-8 bytes, binaries by bytes, numbers by value; undefined where there is no order. */
export function compareScalars(left: AttributeValue, right: AttributeValue): number | undefined {
  if (left.N !== undefined && right.N !== undefined) return compareNumbers(left.N, right.N);
  const [a, b] =
    left.S !== undefined && right.S !== undefined
      ? [bytesKey(Buffer.from(left.S)), bytesKey(Buffer.from(right.S))]
      : left.B && right.B
        ? [bytesKey(left.B), bytesKey(right.B)]
        : [];
  if (a === undefined || b === undefined) return undefined;
  return a < b ? -1 : a > b ? 1 : 0;
}

function beginsWith(value: AttributeValue | undefined, prefix: AttributeValue | undefined): boolean {
  if (value?.S !== undefined && prefix?.S !== undefined) return value.S.startsWith(prefix.S);
  return value?.B !== undefined && prefix?.B !== undefined && bytesKey(value.B).startsWith(bytesKey(prefix.B));
}

function contains(value: AttributeValue | undefined, part: AttributeValue | undefined): boolean {
  if (!value || !part) return false;
  if (value.S !== undefined) return part.S !== undefined && value.S.includes(part.S);
  if (value.B) return part.B !== undefined && bytesKey(value.B).includes(bytesKey(part.B));
  if (value.SS) return part.S !== undefined && value.SS.includes(part.S);
  if (value.NS) return part.N !== undefined && value.NS.includes(part.N);
  if (value.BS) return part.B !== undefined && value.BS.map(bytesKey).includes(bytesKey(part.B));
  return value.L?.some((element) => sameValue(element, part)) ?? false;
}

/** Names of the top-level attributes that a condition reads. */
export function attributesOf(condition: Condition): ReadonlySet<string> {
  const names = new Set<string>();
  const operand = (o: Operand): void => {
    if (o.kind === 'path') names.add(o.path[0]);
    else if (o.kind === 'size') operand(o.of);
  };
  const visit = (c: Condition): void => {
    if (c.kind === 'and' || c.kind === 'or') [c.left, c.right].forEach(visit);
    else if (c.kind === 'not') visit(c.condition);
    else if (c.kind === 'compare') [c.left, c.right].forEach(operand);
    else if (c.kind === 'between') [c.operand, c.low, c.high].forEach(operand);
    else if (c.kind === 'in') [c.operand, ...c.list].forEach(operand);
    else if (c.kind === 'attribute_type') operand(c.operand);
    else if (c.kind === 'begins_with' || c.kind === 'contains') [c.operand, c.argument].forEach(operand);
    else if (c.kind === 'attribute_exists' || c.kind === 'attribute_not_exists') names.add(c.path[0]);
  };
  visit(condition);
  return names;
}
