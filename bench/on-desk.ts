/** What several benches read from a desk: patience, dead letters, the memory of functions. */
import type { Desk } from '../local/desk.js';

/** Resolves when `condition` holds; rejects after `patienceMs` of wall time. */
export async function patiently(
  condition: () => boolean | Promise<boolean>,
  what: string,
  { patienceMs, pollMs }: { readonly patienceMs: number; readonly pollMs: number },
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${(patienceMs / 60_000).toFixed(0)} minutes`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Messages in all dead-letter queues. */
export async function deadLetters({ cloud }: Desk): Promise<number> {
  const { QueueUrls = [] } = await cloud.call<{ QueueUrls?: string[] }>('sqs', 'ListQueues', {});
  const counts = await Promise.all(
    QueueUrls.filter((url) => url.endsWith('-dead')).map(async (QueueUrl) => {
      const input = { QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] };
      const { Attributes } = await cloud.call<{ Attributes: Record<string, string> }>('sqs', 'GetQueueAttributes', input);
      return Number(Attributes.ApproximateNumberOfMessages);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Function, without the prefix of the installation → largest `Max Memory Used`, MB. */
export async function peaksMb({ cloud }: Desk, functions: readonly string[]): Promise<Record<string, number>> {
  const result: Record<string, number> = {};
  for (const name of functions) {
    const { events = [] } = await cloud.call<{ events?: { message: string }[] }>('logs', 'FilterLogEvents', {
      logGroupName: `/aws/lambda/fleetwarden-${name}`,
      filterPattern: '"Max Memory Used"',
    });
    const used = events.map(({ message }) => Number(/Max Memory Used: (\d+) MB/.exec(message)?.[1] ?? 0));
    result[name] = used.reduce((most, one) => Math.max(most, one), 0);
  }
  return result;
}
