/** Does the work for each of a list, so many at once; settles in the order of the list, none failing for another. */
export async function inTurns<T, R>(atOnce: number, list: readonly T[], work: (one: T) => Promise<R>): Promise<PromiseSettledResult<R>[]> {
  const results: PromiseSettledResult<R>[] = [];
  for (let start = 0; start < list.length; start += atOnce) {
    results.push(...(await Promise.allSettled(list.slice(start, start + atOnce).map(work))));
  }
  return results;
}

/** The same where one failure fails all. */
export async function allInTurns<T, R>(atOnce: number, list: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results = await inTurns(atOnce, list, work);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
