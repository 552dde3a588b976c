/** Things that are never contained by machine: a gateway that hundreds hang on, a life-safety device. They page a person instead. */
export interface NeverList {
  readonly things: readonly string[];
  readonly types: readonly string[];
  /** Static or dynamic groups. */
  readonly groups: readonly string[];
  /** `name`, whatever its value, or `name=value`. */
  readonly attributes: readonly string[];
}

export interface ThingFacts {
  readonly thingName: string;
  readonly typeName?: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Empty where the never-list names no group: then nobody asked. */
  readonly groups: readonly string[];
}

/** By what the thing is on the list; `undefined`: it is not. Identity is equality, never a prefix. */
export function neverListedBy(list: NeverList, thing: ThingFacts): string | undefined {
  if (list.things.includes(thing.thingName)) return `thing ${thing.thingName}`;
  if (thing.typeName !== undefined && list.types.includes(thing.typeName)) return `type ${thing.typeName}`;
  const group = thing.groups.find((name) => list.groups.includes(name));
  if (group !== undefined) return `group ${group}`;
  const attribute = list.attributes.find((wanted) => {
    const [name = '', ...value] = wanted.split('=');
    const has = Object.hasOwn(thing.attributes, name) ? thing.attributes[name] : undefined;
    return has !== undefined && (value.length === 0 || has === value.join('='));
  });
  return attribute === undefined ? undefined : `attribute ${attribute}`;
}
