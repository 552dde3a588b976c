/** Applies an update expression. Every operand is read from the item as it was before the update. */
import { bytesKey, copyItem, copyValue, setMembers, typeOf, type AttributeValue, type Item } from '../attribute-value.js';
import { validation } from '../errors.js';
import { addNumbers, subtractNumbers } from '../number.js';
import { readPath, removePath, writePath, type DocumentPath } from './document-path.js';
import type { Update, UpdateOperand } from './update-parser.js';

/** The item after the update; `before` is not changed. */
export function applyUpdate(update: Update, before: Item): Record<string, AttributeValue> {
  const after = copyItem(before);
  // In the order of list indexes, so that appending `l[9]` and `l[8]` to a short list keeps their order.
  const sets = update.set.map(({ path, value }) => ({ path, value: copyValue(evaluate(value, before)) }));
  for (const { path, value } of sets.sort((a, b) => byIndex(a.path, b.path))) writePath(after, path, value);
  for (const { path, value } of update.add) {
    const sum = added(readPath(before, path), value);
    writePath(after, path, sum);
  }
  const emptied: DocumentPath[] = [];
  for (const { path, value } of update.delete) {
    const rest = subtracted(readPath(before, path), value);
    if (rest === 'nothing left') emptied.push(path);
    else if (rest) writePath(after, path, rest);
  }
  // From the end of lists, so that the indexes of what is still to be removed stay those of the item before.
  for (const path of [...update.remove, ...emptied].sort((a, b) => byIndex(b, a))) removePath(after, path);
  return after;
}

function byIndex(a: DocumentPath, b: DocumentPath): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const x = a[i];
    const y = b[i];
    if (typeof x === 'number' && typeof y === 'number' && x !== y) return x - y;
    if (x !== y) return String(x) < String(y) ? -1 : 1;
  }
  return a.length - b.length;
}

function evaluate(operand: UpdateOperand, item: Item): AttributeValue {
  switch (operand.kind) {
    case 'value':
      return operand.value;
    case 'path': {
      const value = readPath(item, operand.path);
      if (!value) throw validation('The provided expression refers to an attribute that does not exist in the item');
      return value;
    }
    case 'if_not_exists':
      return readPath(item, operand.path) ?? evaluate(operand.otherwise, item);
    case 'list_append': {
      const left = evaluate(operand.left, item).L;
      const right = evaluate(operand.right, item).L;
      if (!left || !right) throw incorrectType();
      return { L: [...left, ...right] };
    }
    case '+':
    case '-': {
      const left = evaluate(operand.left, item).N;
      const right = evaluate(operand.right, item).N;
      if (left === undefined || right === undefined) throw incorrectType();
      return { N: operand.kind === '+' ? addNumbers(left, right) : subtractNumbers(left, right) };
    }
  }
}

function added(old: AttributeValue | undefined, value: AttributeValue): AttributeValue {
  if (!old) return copyValue(value);
  if (typeOf(old) !== typeOf(value)) throw incorrectType();
  if (old.N !== undefined) return { N: addNumbers(old.N, value.N ?? '0') };
  if (old.SS) return { SS: [...new Set([...old.SS, ...(value.SS ?? [])])] };
  if (old.NS) return { NS: [...new Set([...old.NS, ...(value.NS ?? [])])] };
  const present = new Set(setMembers(old));
  return { BS: [...(old.BS ?? []), ...(value.BS ?? []).filter((member) => !present.has(bytesKey(member)))] };
}

/** undefined: there was nothing to take from. */
function subtracted(old: AttributeValue | undefined, value: AttributeValue): AttributeValue | 'nothing left' | undefined {
  if (!old) return undefined;
  if (typeOf(old) !== typeOf(value)) throw incorrectType();
  const taken = new Set(setMembers(value));
  if ((setMembers(old) ?? []).every((member) => taken.has(member))) return 'nothing left';
  if (old.SS) return { SS: old.SS.filter((member) => !taken.has(member)) };
  if (old.NS) return { NS: old.NS.filter((member) => !taken.has(member)) };
  return { BS: (old.BS ?? []).filter((member) => !taken.has(bytesKey(member))) };
}

const incorrectType = () => validation('An operand in the update expression has an incorrect data type');
