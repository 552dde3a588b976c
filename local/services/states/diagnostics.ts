/** What is wrong with a definition, in the words of ValidateStateMachineDefinition. */
export interface Diagnostic {
  readonly code: 'SCHEMA_VALIDATION_FAILED' | 'MISSING_TRANSITION_TARGET' | 'INVALID_JSON_DESCRIPTION';
  readonly message: string;
  /** `/States/One/Next` */
  readonly location?: string;
}

export class Findings {
  readonly found: Diagnostic[] = [];

  schema(message: string, location: string): void {
    this.add('SCHEMA_VALIDATION_FAILED', message, location);
  }

  add(code: Diagnostic['code'], message: string, location: string): void {
    this.found.push({ code, message, location });
  }
}
