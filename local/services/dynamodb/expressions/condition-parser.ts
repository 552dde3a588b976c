/**
 * Condition and filter expressions (and, through `key-condition.ts`, key conditions):
 *
 *     or      = and { OR and }            primary = '(' or ')' | comparison | function
 *     and     = not { AND not }           comparison = operand ( comparator operand | BETWEEN operand AND operand | IN '(' operand { ',' operand } ')' )
 *     not     = NOT not | primary         operand = path | :value | size '(' operand ')' | '(' operand ')'
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
 */
import { ATTRIBUTE_TYPES, typeOf, type AttributeType } from '../attribute-value.js';
import { compareScalars, type Comparator, type Condition, type Operand } from './condition.js';
import { parsePath, printPath } from './document-path.js';
import type { Placeholders } from './placeholders.js';
import { TokenReader, type ExpressionKind, type Token } from './token-reader.js';

const ARGUMENTS: Readonly<Record<string, number>> = {
  attribute_exists: 1,
  attribute_not_exists: 1,
  attribute_type: 2,
  begins_with: 2,
  contains: 2,
  size: 1,
};
const MOST_IN_LIST = 100;
const COMPARATORS: readonly string[] = ['=', '<>', '<', '<=', '>', '>='];

/** A part of the expression whose role is known only when what follows it has been seen: `(a) = :b` or `(a = :b)`. */
type Part = { readonly condition: Condition } | { readonly operand: Operand; readonly at: Token };

export function parseCondition(source: string, kind: ExpressionKind, placeholders: Placeholders): Condition {
  return new ConditionParser(new TokenReader(source, kind), placeholders).parse();
}

class ConditionParser {
  constructor(
    private readonly reader: TokenReader,
    private readonly placeholders: Placeholders,
  ) {}

  parse(): Condition {
    const part = this.or();
    this.reader.expectEnd();
    return this.condition(part);
  }

  private or(): Part {
    let left = this.and();
    while (this.reader.takeKeyword('OR'))
      left = { condition: { kind: 'or', left: this.condition(left), right: this.condition(this.and()) } };
    return left;
  }

  private and(): Part {
    let left = this.not();
    while (this.reader.takeKeyword('AND'))
      left = { condition: { kind: 'and', left: this.condition(left), right: this.condition(this.not()) } };
    return left;
  }

  private not(): Part {
    if (!this.reader.takeKeyword('NOT')) return this.primary();
    return { condition: { kind: 'not', condition: this.condition(this.not()) } };
  }

  private primary(): Part {
    const part = this.atom();
    return 'operand' in part ? this.comparison(part) : part;
  }

  /** A parenthesised part, a function or an operand. */
  private atom(): Part {
    const { reader } = this;
    if (reader.takeIf('(')) {
      const doubled = reader.next.text === '(';
      const part = this.or();
      reader.expect(')');
      // `((a = :b))`: the inner parentheses were closed right before ours.
      if (doubled && this.parenthesised === part) throw reader.invalid('The expression has redundant parentheses;');
      this.parenthesised = part;
      return part;
    }
    const at = reader.next;
    if (at.kind === 'name' && reader.afterNext.text === '(') return this.call();
    return { operand: this.pathOrValue(), at };
  }

  private parenthesised: Part | undefined;

  private comparison(left: Part & { readonly operand: Operand }): Part {
    const { reader } = this;
    const { kind, text } = reader.next;
    if (kind === 'symbol' && COMPARATORS.includes(text)) {
      const comparator = reader.take().text as Comparator;
      const right = this.operand();
      this.checkComparison(comparator, left.operand, right);
      return { condition: { kind: 'compare', comparator, left: left.operand, right } };
    }
    if (reader.takeKeyword('BETWEEN')) {
      const low = this.operand();
      if (!reader.takeKeyword('AND')) throw reader.syntaxError();
      const high = this.operand();
      this.checkBounds(low, high);
      return { condition: { kind: 'between', operand: left.operand, low, high } };
    }
    if (reader.takeKeyword('IN')) {
      const list = this.operands();
      if (list.length > MOST_IN_LIST) {
        throw reader.invalid(
          `Invalid number of operands for the IN operator; maximum: ${MOST_IN_LIST}, number of operands: ${list.length}`,
        );
      }
      return { condition: { kind: 'in', operand: left.operand, list } };
    }
    return left;
  }

  private operand(): Operand {
    const part = this.atom();
    if ('condition' in part) {
      throw this.reader.invalid(`The function is not allowed to be used this way in an expression; function: ${part.condition.kind}`);
    }
    return part.operand;
  }

  /** `( operand, … )` */
  private operands(): readonly Operand[] {
    this.reader.expect('(');
    const list = [this.operand()];
    while (this.reader.takeIf(',')) list.push(this.operand());
    this.reader.expect(')');
    return list;
  }

  private pathOrValue(): Operand {
    const { reader } = this;
    if (reader.next.kind !== ':value') return { kind: 'path', path: parsePath(reader, this.placeholders) };
    const name = reader.take().text;
    const value = this.placeholders.value(name);
    if (!value) throw reader.invalid(`An expression attribute value used in expression is not defined; attribute value: ${name}`);
    return { kind: 'value', value };
  }

  private call(): Part {
    const { reader } = this;
    const at = reader.take();
    const name = at.text;
    const expected = Object.hasOwn(ARGUMENTS, name) ? ARGUMENTS[name] : undefined;
    if (expected === undefined) throw reader.invalid(`Invalid function name; function: ${name}`);
    const [first, second, ...rest] = this.operands();
    const count = (first ? 1 : 0) + (second ? 1 : 0) + rest.length;
    if (!first || count !== expected) {
      throw reader.invalid(
        `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${count}`,
      );
    }
    if (name === 'size') {
      this.refuseTypes(name, first, ['N', 'BOOL', 'NULL']);
      return { operand: { kind: 'size', of: first }, at };
    }
    return { condition: this.booleanFunction(name, first, second) };
  }

  private booleanFunction(name: string, first: Operand, second: Operand | undefined): Condition {
    if (name === 'attribute_exists' || name === 'attribute_not_exists') {
      if (first.kind !== 'path') throw this.reader.invalid(`Operator or function requires a document path; operator or function: ${name}`);
      return { kind: name, path: first.path };
    }
    const argument = second as Operand;
    if (name === 'attribute_type') return { kind: 'attribute_type', operand: first, type: this.attributeType(argument) };
    this.checkDistinct(name, first, argument);
    if (name === 'begins_with') {
      const others = ATTRIBUTE_TYPES.filter((type) => type !== 'S' && type !== 'B');
      for (const operand of [first, argument]) this.refuseTypes(name, operand, others);
      return { kind: 'begins_with', operand: first, argument };
    }
    return { kind: 'contains', operand: first, argument };
  }

  private attributeType(argument: Operand): AttributeType {
    const name = argument.kind === 'value' ? argument.value.S : undefined;
    if (name === undefined) {
      const type = argument.kind === 'value' ? typeOf(argument.value) : '{NS,SS,L,BS,N,M,B,BOOL,NULL,S}';
      throw this.reader.invalid(
        `Incorrect operand type for operator or function; operator or function: attribute_type, operand type: ${type}`,
      );
    }
    const type = ATTRIBUTE_TYPES.find((candidate) => candidate === name);
    if (!type) throw this.reader.invalid(`Invalid attribute type name found; type: ${name}, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}`);
    return type;
  }

  private refuseTypes(name: string, operand: Operand, refused: readonly AttributeType[]): void {
    if (operand.kind !== 'value' || !refused.includes(typeOf(operand.value))) return;
    throw this.reader.invalid(
      `Incorrect operand type for operator or function; operator or function: ${name}, operand type: ${typeOf(operand.value)}`,
    );
  }

  private checkComparison(comparator: Comparator, left: Operand, right: Operand): void {
    this.checkDistinct(comparator, left, right);
    if (comparator === '=' || comparator === '<>') return;
    for (const operand of [left, right]) {
      if (operand.kind !== 'value' || ['S', 'N', 'B'].includes(typeOf(operand.value))) continue;
      throw this.reader.invalid(
        `Incorrect operand type for operator or function; operator: ${comparator}, operand type: ${typeOf(operand.value)}`,
      );
    }
  }

  private checkDistinct(operator: string, left: Operand, right: Operand): void {
    if (left.kind !== 'path' || right.kind !== 'path' || printPath(left.path) !== printPath(right.path)) return;
    throw this.reader.invalid(
      `The first operand must be distinct from the remaining operands for this operator or function; operator: ${operator}, first operand: ${printPath(left.path)}`,
    );
  }

  private checkBounds(low: Operand, high: Operand): void {
    if (low.kind !== 'value' || high.kind !== 'value') return;
    const print = ({ value }: typeof low) => `AttributeValue: {${typeOf(value)}:${String(value.S ?? value.N ?? '')}}`;
    const where = `lower bound operand: ${print(low)}, upper bound operand: ${print(high)}`;
    if (typeOf(low.value) !== typeOf(high.value)) {
      throw this.reader.invalid(`The BETWEEN operator requires same data type for lower and upper bounds; ${where}`);
    }
    if ((compareScalars(low.value, high.value) ?? 0) > 0) {
      throw this.reader.invalid(`The BETWEEN operator requires upper bound to be greater than or equal to lower bound; ${where}`);
    }
  }

  private condition(part: Part): Condition {
    if ('condition' in part) return part.condition;
    throw part.operand.kind === 'size'
      ? this.reader.invalid('The function is not allowed to be used this way in an expression; function: size')
      : this.reader.syntaxError();
  }
}
