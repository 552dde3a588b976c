/** Checks of resolved properties, for providers: what the desk does not serve is refused by name, never dropped. */

type Properties = Readonly<Record<string, unknown>>;

/** Refuses every property beyond `served`. */
export function onlyServed(properties: Properties, served: readonly string[]): void {
  const others = Object.keys(properties).filter((name) => properties[name] !== undefined && !served.includes(name));
  if (others.length > 0) throw new Error(`properties that the desk does not serve: ${others.join(', ')}`);
}

export function textOf(properties: Properties, name: string): string | undefined {
  const value = properties[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw new Error(`${name}: got ${JSON.stringify(value)}, expected a text`);
  return value;
}

/** CloudFormation takes numbers as texts too. */
export function numberOf(properties: Properties, name: string): number | undefined {
  const value = properties[name];
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isFinite(number) || value === '') throw new Error(`${name}: got ${JSON.stringify(value)}, expected a number`);
  return number;
}

/** CloudFormation takes `"true"` and `"false"` too. */
export function booleanOf(properties: Properties, name: string): boolean | undefined {
  const value = properties[name];
  if (value === undefined) return undefined;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw new Error(`${name}: got ${JSON.stringify(value)}, expected true or false`);
}

/** Tags of CloudFormation as the map that most APIs take. */
export function tagMap(properties: Properties): Record<string, string> {
  const tags = (properties.Tags ?? []) as readonly { Key: string; Value: string }[];
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

/** The members that are there: SDK schemas do not take `undefined` for an absent member. */
export function present<T extends Record<string, unknown>>(members: T): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}
