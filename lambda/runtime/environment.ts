/** What went wrong with one variable, as zod says it. */
interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}
interface EnvironmentSchema<T> {
  safeParse(
    input: unknown,
  ): { readonly success: true; readonly data: T } | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };
}

/**
 * Reads the environment once, at cold start. Throws an Error that names every wrong variable; values are left out, because a variable
 * that somebody mixed up may hold a secret.
 */
export function readEnvironment<T>(schema: EnvironmentSchema<T>, variables: NodeJS.ProcessEnv = process.env): T {
  const read = schema.safeParse(variables);
  if (read.success) return read.data;
  throw new Error(`environment: ${read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`);
}
