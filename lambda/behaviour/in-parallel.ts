/** So many at a time that the table is busy and its latency hidden, so few that a storm does not open a thousand connections. */
const AT_ONCE = 16;

/** Does all of them, sixteen at a time. Rejects with the first failure, when those that were under way have come to rest. */
export async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values();
  let failure: { readonly error: unknown } | undefined;
  const work = async (): Promise<void> => {
    for (const item of queue) {
      if (failure !== undefined) return;
      try {
        await act(item);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, work));
  if (failure !== undefined) throw failure.error;
}
