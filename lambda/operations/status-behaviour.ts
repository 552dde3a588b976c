/** What `status` says of behaviour, where somebody watches it: who detects, and which behaviours are in alarm. */
import type { Application } from './application.js';
import { bad, good } from './words.js';

export type BehaviourStatus = NonNullable<Awaited<ReturnType<typeof behaviourStatus>>>;

export async function behaviourStatus({ parameters, violations, depth }: Application) {
  const { detect, monitorDeadLetterQueueUrl } = parameters;
  if (detect === undefined || violations === undefined) return undefined;
  const byBehaviour: Record<string, number> = {};
  for await (const { behavior } of violations.all()) byBehaviour[behavior] = (byBehaviour[behavior] ?? 0) + 1;
  const open = Object.values(byBehaviour).reduce((sum, count) => sum + count, 0);
  // Of a stream there is no queue that could be listed with the others, only what was given up.
  const givenUp = monitorDeadLetterQueueUrl === undefined ? undefined : (await depth(monitorDeadLetterQueueUrl)).waiting;
  return { detect, open, byBehaviour, givenUp };
}

export function behaviourLines({ detect, open, byBehaviour, givenUp }: BehaviourStatus): readonly (readonly [string, string])[] {
  const each = Object.entries(byBehaviour)
    .toSorted(([, one], [, other]) => other - one)
    .map(([name, count]) => `${count} ${name}`);
  return [
    ['behaviour', detect],
    ['  violations open', open === 0 ? good('none') : bad(`${open}: ${each.join(', ')}`)],
    ...(givenUp === undefined || givenUp === 0 ? [] : [['  batches given up', bad(String(givenUp))] as const]),
  ];
}
