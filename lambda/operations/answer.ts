/** What a command answers: the same facts for a program (`--json`) and for a person. */
export interface Answer {
  readonly json: unknown;
  /** Built only where a person reads it. */
  text(): string;
}

/** The command was understood and not carried out: refused, or nothing was found. Exit code 1. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** The command was not understood. Exit code 2. */
export class Misused extends Error {
  override readonly name = 'Misused';
}
