/** ExpressionAttributeNames and ExpressionAttributeValues of one request. AWS refuses a placeholder that is undefined, and one that is never used. */
import { readValue, type AttributeValue } from '../attribute-value.js';
import { validation } from '../errors.js';

export class Placeholders {
  private readonly names: ReadonlyMap<string, string>;
  private readonly values: ReadonlyMap<string, AttributeValue>;
  private readonly unusedNames: Set<string>;
  private readonly unusedValues: Set<string>;

  /**
   * @param expressions the request's expressions, those that are absent as undefined: names without an expression are refused
   */
  constructor(
    names: Readonly<Record<string, string>> | undefined,
    values: Readonly<Record<string, AttributeValue>> | undefined,
    expressions: Readonly<Record<string, string | undefined>>,
  ) {
    const given = Object.keys(expressions).filter((kind) => expressions[kind] !== undefined);
    if (names && given.length === 0) throw validation('ExpressionAttributeNames can only be specified when using expressions');
    if (values && !given.some((kind) => kind !== 'ProjectionExpression')) {
      const kinds = Object.keys(expressions).filter((kind) => kind !== 'ProjectionExpression');
      throw validation(
        `ExpressionAttributeValues can only be specified when using expressions: ${kinds.join(' and ')} ${kinds.length > 1 ? 'are' : 'is'} null`,
      );
    }
    this.names = new Map(Object.entries(checkKeys(names, 'ExpressionAttributeNames', '#')));
    this.values = new Map(
      Object.entries(checkKeys(values, 'ExpressionAttributeValues', ':')).map(([key, value]) => [key, readNamed(key, value)]),
    );
    this.unusedNames = new Set(this.names.keys());
    this.unusedValues = new Set(this.values.keys());
  }

  /** The attribute name behind `#name`; undefined where it is not defined. */
  name(placeholder: string): string | undefined {
    this.unusedNames.delete(placeholder);
    return this.names.get(placeholder);
  }

  value(placeholder: string): AttributeValue | undefined {
    this.unusedValues.delete(placeholder);
    return this.values.get(placeholder);
  }

  /** To be called when every expression of the request has been parsed. */
  assertAllUsed(): void {
    if (this.unusedNames.size > 0) {
      throw validation(`Value provided in ExpressionAttributeNames unused in expressions: keys: {${[...this.unusedNames].join(', ')}}`);
    }
    if (this.unusedValues.size > 0) {
      throw validation(`Value provided in ExpressionAttributeValues unused in expressions: keys: {${[...this.unusedValues].join(', ')}}`);
    }
  }
}

function checkKeys<T>(map: Readonly<Record<string, T>> | undefined, member: string, sigil: '#' | ':'): Readonly<Record<string, T>> {
  if (!map) return {};
  const keys = Object.keys(map);
  if (keys.length === 0) throw validation(`${member} must not be empty`);
  const wrong = keys.find((key) => !key.startsWith(sigil) || !/^[A-Za-z0-9_]+$/.test(key.slice(1)));
  if (wrong !== undefined) throw validation(`${member} contains invalid key: Syntax error; key: "${wrong}"`);
  return map;
}

function readNamed(key: string, value: AttributeValue): AttributeValue {
  try {
    return readValue(value);
  } catch (error) {
    throw validation(
      `ExpressionAttributeValues contains invalid value: ${error instanceof Error ? error.message : String(error)} for key ${key}`,
    );
  }
}
