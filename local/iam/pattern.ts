const compiled = new Map<string, RegExp>();

/** IAM's wildcards: `*` any run of characters, `?` exactly one. Everything else is literal, also the wildcards that `mark` of variables.ts has marked. */
export function matchesPattern(pattern: string, text: string, options: { readonly ignoreCase?: boolean } = {}): boolean {
  const flags = options.ignoreCase ? 'is' : 's';
  const key = `${flags}:${pattern}`;
  let expression = compiled.get(key);
  if (!expression) {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/\?/g, '.')
      .replace(/\uE000/g, '\\*')
      .replace(/\uE001/g, '\\?');
    expression = new RegExp(`^${source}$`, flags);
    compiled.set(key, expression);
  }
  return expression.test(text);
}

/**
 * ARNs are compared part by part: a wildcard does not cross the first five colons, so that `arn:aws:s3:::*` is no `arn:aws:s3:eu-west-1:…`
 * (IAM user guide, "Condition operators: ARN"). `*` alone matches everything.
 */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === '*') return true;
  const patternParts = splitArn(pattern);
  const parts = splitArn(arn);
  if (!patternParts || !parts) return false;
  return patternParts.every((part, index) => matchesPattern(part, parts[index] ?? ''));
}

function splitArn(arn: string): readonly string[] | undefined {
  const parts = arn.split(':');
  return parts.length < 6 || parts[0] !== 'arn' ? undefined : [...parts.slice(0, 5), parts.slice(5).join(':')];
}
