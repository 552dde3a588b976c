import type { TaskResource } from './engine.js';

/** The optimised integrations that the desk serves, and whether they take `.waitForTaskToken`. */
const INTEGRATIONS = ['lambda:invoke', 'sqs:sendMessage', 'sns:publish', 'events:putEvents'] as const;
const OPTIMISED = /^arn:aws:states:::([a-z]+):([A-Za-z]+)(\.waitForTaskToken)?$/;
const FUNCTION = /^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9-_]+(:[A-Za-z0-9$_-]+)?$/;

/** `undefined`: nothing that the desk serves. */
export function taskResource(arn: string): TaskResource | undefined {
  if (FUNCTION.test(arn)) return { arn, service: 'function', action: '', waitsForToken: false };
  const [, service = '', action = '', suffix = ''] = OPTIMISED.exec(arn) ?? [];
  if (!INTEGRATIONS.some((integration) => integration === `${service}:${action}`)) return undefined;
  return {
    arn,
    service: service as 'lambda' | 'sqs' | 'sns' | 'events',
    action: `${action}${suffix}`,
    waitsForToken: suffix !== '',
  };
}
