/**
 * The bundled function of the audit in a process of its own. Argument: its bundle. Each line on standard input is one event; each line on standard
 * output that begins with `answer ` says how it ended, and the peak of the process’s memory so far.
 */
import { createInterface } from 'node:readline';
import process from 'node:process';

const TIME_MS = 300_000;
const { handler } = await import(process.argv[2]);
for await (const line of createInterface({ input: process.stdin })) {
  const endsAt = performance.now() + TIME_MS;
  const answer = await handler(JSON.parse(line), { getRemainingTimeInMillis: () => endsAt - performance.now() });
  process.stdout.write(`answer ${JSON.stringify({ failed: answer.batchItemFailures.length, peakKib: process.resourceUsage().maxRSS })}\n`);
}
