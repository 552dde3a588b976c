/** The syntax tree of AWS IoT SQL. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'star' }
  /** `a.b.c`, from the payload or, inside a nested query, from the row. */
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'member'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly parameters: readonly Expression[]; readonly castType?: string }
  | { readonly kind: 'unary'; readonly operator: '-' | 'not'; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'in'; readonly value: Expression; readonly list: Expression }
  | {
      readonly kind: 'case';
      readonly subject?: Expression;
      readonly branches: readonly { readonly when: Expression; readonly result: Expression }[];
      readonly otherwise?: Expression;
    }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | { readonly kind: 'object'; readonly entries: readonly { readonly key: string; readonly value: Expression }[] };

export type BinaryOperator = 'and' | 'or' | '=' | '<>' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | '%';

export interface Column {
  readonly expression: Expression;
  /** The key in the output: the alias, else what the expression suggests. Absent for `*`. */
  readonly name?: string;
}

export interface Statement {
  readonly columns: readonly Column[];
  /** `SELECT VALUE expression`: the output is the value itself. */
  readonly selectValue: boolean;
  /** Absent for a rule that Basic Ingest alone triggers. */
  readonly topicFilter?: string;
  readonly where?: Expression;
}
