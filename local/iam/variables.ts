/** Values of the request that conditions and policy variables read. Keys in lower case: condition keys are not case-sensitive. */
export type RequestContext = ReadonlyMap<string, readonly string[]>;

export function contextOf(...sources: readonly Readonly<Record<string, string | readonly string[] | undefined>>[]): RequestContext {
  const context = new Map<string, readonly string[]>();
  for (const source of sources) {
    for (const [key, value] of Object.entries(source)) {
      if (value !== undefined) context.set(key.toLowerCase(), typeof value === 'string' ? [value] : value);
    }
  }
  return context;
}

/** Wildcards that a variable's value brought in are literal: they travel as private-use characters until they are compared. */
const MARKED: Readonly<Record<string, string>> = { '*': '\uE000', '?': '\uE001' };
const MARKS: Readonly<Record<string, string>> = { '\uE000': '*', '\uE001': '?' };
const mark = (text: string): string => text.replace(/[*?]/g, (wildcard) => MARKED[wildcard] ?? wildcard);
/** The text as it reads, for comparisons that know no wildcards. */
export const unmark = (text: string): string => text.replace(/[\uE000\uE001]/g, (marked) => MARKS[marked] ?? marked);

const VARIABLE = /\$\{([^}]*)\}/g;

/**
 * Replaces policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, `${*}`. Only in documents of Version 2012-10-17 (others take
 * the text as it is). `undefined`: a variable has no value, or more than one — then the statement does not apply (IAM user guide, "Policy variables").
 */
export function substitute(text: string, context: RequestContext, version: string | undefined): string | undefined {
  if (version !== '2012-10-17' || !text.includes('${')) return text;
  let resolvable = true;
  const replaced = text.replace(VARIABLE, (_, body: string) => {
    if (['*', '?', '$'].includes(body.trim())) return mark(body.trim());
    const [, key = '', byDefault] = /^\s*([^,]+?)\s*(?:,\s*'([^']*)'\s*)?$/.exec(body) ?? [];
    const values = context.get(key.toLowerCase());
    const value = values?.length === 1 ? values[0] : byDefault;
    if (value === undefined) {
      resolvable = false;
      return '';
    }
    return mark(value);
  });
  return resolvable ? replaced : undefined;
}
