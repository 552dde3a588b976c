/** Substitution templates `${expression}` in the fields of rule actions (https://docs.aws.amazon.com/iot/latest/developerguide/iot-substitution-templates.html). */
import { evaluate } from './evaluate.js';
import { toText, type MessageContext } from './functions.js';
import { parseExpression } from './parser.js';
import type { Expression } from './syntax.js';

export type Template = readonly (string | Expression)[];

/** Throws SqlError for an expression that does not parse. `$${` of CloudFormation never arrives here. */
export function parseTemplate(text: string): Template {
  const parts: (string | Expression)[] = [];
  let at = 0;
  for (const match of text.matchAll(/\$\{([^}]*)\}/g)) {
    parts.push(text.slice(at, match.index), parseExpression(match[1]!));
    at = match.index + match[0].length;
  }
  return [...parts, text.slice(at)];
}

/** `undefined` when an expression is Undefined: AWS then fails the action. */
export function fill(template: Template, message: MessageContext): string | undefined {
  let result = '';
  for (const part of template) {
    const text = typeof part === 'string' ? part : toText(evaluate(part, message));
    if (text === undefined) return undefined;
    result += text;
  }
  return result;
}
