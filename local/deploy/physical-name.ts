import { createHash } from 'node:crypto';

/**
 * A name as CloudFormation makes it, `<stack>-<logicalId>-<suffix>`, but the same at every run: the suffix is a digest, not drawn. Too long:
 * stack name and logical id are cut, never the suffix.
 */
export function physicalName(
  stackName: string,
  logicalId: string,
  maxLength: number,
  options: { readonly lowerCase?: boolean; readonly separator?: '-' | '_' } = {},
): string {
  const { separator = '-' } = options;
  const suffix = createHash('sha256').update(`${stackName}/${logicalId}`).digest('hex').slice(0, 12).toUpperCase();
  const room = maxLength - suffix.length - 2;
  const idLength = Math.min(logicalId.length, Math.max(Math.ceil(room / 2), room - stackName.length));
  const name = [stackName.slice(0, room - idLength), logicalId.slice(0, idLength), suffix].join(separator);
  const separated = separator === '_' ? name.replaceAll('-', '_') : name;
  return options.lowerCase ? separated.toLowerCase() : separated;
}
