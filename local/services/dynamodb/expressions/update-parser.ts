/**
 * Update expressions: `SET path = value, … REMOVE path, … ADD path :v, … DELETE path :v, …`, each section at most once.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
 */
import { typeOf, type AttributeType, type AttributeValue } from '../attribute-value.js';
import { assertDisjoint, parsePath, type DocumentPath } from './document-path.js';
import type { Placeholders } from './placeholders.js';
import { TokenReader } from './token-reader.js';

export type UpdateOperand =
  | { readonly kind: 'path'; readonly path: DocumentPath }
  | { readonly kind: 'value'; readonly value: AttributeValue }
  | { readonly kind: 'if_not_exists'; readonly path: DocumentPath; readonly otherwise: UpdateOperand }
  | { readonly kind: 'list_append'; readonly left: UpdateOperand; readonly right: UpdateOperand }
  | { readonly kind: '+' | '-'; readonly left: UpdateOperand; readonly right: UpdateOperand };

export interface Update {
  readonly set: readonly { readonly path: DocumentPath; readonly value: UpdateOperand }[];
  readonly remove: readonly DocumentPath[];
  readonly add: readonly { readonly path: DocumentPath; readonly value: AttributeValue }[];
  readonly delete: readonly { readonly path: DocumentPath; readonly value: AttributeValue }[];
}

/** How the ADD and DELETE clauses name the types that they refuse. */
const SPELLED: Readonly<Record<AttributeType, string>> = {
  S: 'STRING',
  N: 'NUMBER',
  B: 'BINARY',
  BOOL: 'BOOLEAN',
  NULL: 'NULL',
  L: 'LIST',
  M: 'MAP',
  SS: 'STRING_SET',
  NS: 'NUMBER_SET',
  BS: 'BINARY_SET',
};
const SETS: readonly AttributeType[] = ['SS', 'NS', 'BS'];

/** Every path that the update touches, in the order of the sections. */
export const touchedPaths = (update: Update): readonly DocumentPath[] => [
  ...update.set.map((action) => action.path),
  ...update.remove,
  ...update.add.map((action) => action.path),
  ...update.delete.map((action) => action.path),
];

export function parseUpdate(source: string, placeholders: Placeholders): Update {
  return new UpdateParser(new TokenReader(source, 'UpdateExpression'), placeholders).parse();
}

class UpdateParser {
  constructor(
    private readonly reader: TokenReader,
    private readonly placeholders: Placeholders,
  ) {}

  parse(): Update {
    const { reader } = this;
    const seen = new Set<string>();
    let update: Update = { set: [], remove: [], add: [], delete: [] };
    while (reader.next.kind !== 'end') {
      if (!reader.isKeyword('SET', 'REMOVE', 'ADD', 'DELETE')) throw reader.syntaxError();
      const section = reader.take().text.toUpperCase();
      if (seen.has(section)) throw reader.invalid(`The "${section}" section can only be used once in an update expression;`);
      seen.add(section);
      if (section === 'SET') update = { ...update, set: this.list(() => this.assignment()) };
      else if (section === 'REMOVE') update = { ...update, remove: this.list(() => parsePath(reader, this.placeholders)) };
      else if (section === 'ADD') update = { ...update, add: this.list(() => this.pathAndValue('ADD', ['N', ...SETS])) };
      else update = { ...update, delete: this.list(() => this.pathAndValue('DELETE', SETS)) };
    }
    assertDisjoint(touchedPaths(update), reader);
    return update;
  }

  private list<T>(parseOne: () => T): readonly T[] {
    const list = [parseOne()];
    while (this.reader.takeIf(',')) list.push(parseOne());
    return list;
  }

  private assignment(): Update['set'][number] {
    const path = parsePath(this.reader, this.placeholders);
    this.reader.expect('=');
    return { path, value: this.sum() };
  }

  private pathAndValue(section: 'ADD' | 'DELETE', types: readonly AttributeType[]): Update['add'][number] {
    const path = parsePath(this.reader, this.placeholders);
    if (this.reader.next.kind !== ':value') throw this.reader.syntaxError();
    const value = this.literal();
    if (!types.includes(typeOf(value))) {
      throw this.reader.invalid(
        `Incorrect operand type for operator or function; operator: ${section}, operand type: ${SPELLED[typeOf(value)]}, typeSet: ALLOWED_FOR_${section}_OPERAND`,
      );
    }
    return { path, value };
  }

  /** One operand, or two joined by + or -: AWS's grammar has no longer sums. */
  private sum(): UpdateOperand {
    const left = this.operand();
    const operator = this.reader.takeIf('+') ? '+' : this.reader.takeIf('-') ? '-' : undefined;
    if (!operator) return left;
    const right = this.operand();
    for (const operand of [left, right]) this.requireType(operator, operand, 'N');
    return { kind: operator, left, right };
  }

  private operand(): UpdateOperand {
    const { reader } = this;
    if (reader.takeIf('(')) {
      const inner = this.sum();
      reader.expect(')');
      return inner;
    }
    if (reader.next.kind === ':value') return { kind: 'value', value: this.literal() };
    if (reader.next.kind === 'name' && reader.afterNext.text === '(') return this.call();
    return { kind: 'path', path: parsePath(reader, this.placeholders) };
  }

  private call(): UpdateOperand {
    const { reader } = this;
    const name = reader.take().text;
    if (name !== 'if_not_exists' && name !== 'list_append') throw reader.invalid(`Invalid function name; function: ${name}`);
    reader.expect('(');
    const [first, second, ...rest] = this.list(() => this.operand());
    reader.expect(')');
    if (!first || !second || rest.length > 0) {
      const count = (first ? 1 : 0) + (second ? 1 : 0) + rest.length;
      throw reader.invalid(
        `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${count}`,
      );
    }
    if (name === 'if_not_exists') {
      if (first.kind !== 'path') throw reader.invalid(`Operator or function requires a document path; operator or function: ${name}`);
      return { kind: 'if_not_exists', path: first.path, otherwise: second };
    }
    for (const operand of [first, second]) this.requireType(name, operand, 'L');
    return { kind: 'list_append', left: first, right: second };
  }

  private literal(): AttributeValue {
    const name = this.reader.take().text;
    const value = this.placeholders.value(name);
    if (!value) throw this.reader.invalid(`An expression attribute value used in expression is not defined; attribute value: ${name}`);
    return value;
  }

  private requireType(name: string, operand: UpdateOperand, type: AttributeType): void {
    if (operand.kind !== 'value' || typeOf(operand.value) === type) return;
    throw this.reader.invalid(
      `Incorrect operand type for operator or function; operator or function: ${name}, operand type: ${typeOf(operand.value)}`,
    );
  }
}
