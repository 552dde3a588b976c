import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { Configuration } from './configuration.js';

/** A configuration that was refused. The message names every wrong value: `revocation.mode: got "on", expected one of "off", "observe", "enforce"`. */
export class ConfigurationError extends Error {
  constructor(where: string, problems: readonly string[]) {
    super(`${where}: ${problems.length === 1 ? problems[0] : problems.map((problem) => `\n  ${problem}`).join('')}`);
    this.name = 'ConfigurationError';
  }
}

/**
 * Reads the configuration at synthesis: from the JSON file `file` if given, else from `context` (the value of `context.fleetwarden`).
 * Throws ConfigurationError.
 */
export function readConfiguration(context: unknown, file: string | undefined): Configuration {
  if (file) return parseConfiguration(readJson(file), file);
  if (context === undefined)
    throw new ConfigurationError('cdk.json', ['context.fleetwarden: got nothing, expected the configuration document']);
  return parseConfiguration(context, 'cdk.json context.fleetwarden');
}

/** `where` begins the message of the error. */
export function parseConfiguration(document: unknown, where: string): Configuration {
  const parsed = Configuration.safeParse(document, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new ConfigurationError(where, parsed.error.issues.map(sentenceOf));
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigurationError(file, [`FLEETWARDEN_CONFIG: got a file that cannot be read (${reasonOf(cause)}), expected a JSON file`]);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConfigurationError(file, [`FLEETWARDEN_CONFIG: got a file that is not JSON (${reasonOf(cause)}), expected a JSON file`]);
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** `path: got …, expected …` for one issue. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  const path =
    issue.path.length === 0
      ? 'document'
      : issue.path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`)).join('');
  if (issue.code === 'unrecognized_keys') return `${path}: got ${issue.keys.map(print).join(', ')}, expected only known keys`;
  return `${path}: got ${print(issue.input)}, ${expectationOf(issue)}`;
}

function expectationOf(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith('expected')) return issue.message;
  // The schemas above produce no other kind without a message of their own.
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- zod may add kinds; the default shows their message
  switch (issue.code) {
    case 'invalid_value':
      return `expected one of ${issue.values.map(print).join(', ')}`;
    case 'invalid_type':
      return `expected ${issue.expected}`;
    case 'too_small':
      return `expected at least ${issue.minimum}${issue.origin === 'string' ? ' characters' : ''}`;
    case 'too_big':
      return `expected at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}`;
    default:
      return `expected otherwise: ${issue.message}`;
  }
}

function print(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? typeof value);
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
