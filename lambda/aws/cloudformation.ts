import type { CloudFormation } from '../ports/account-settings.js';
import type { Clock } from '../ports/clock.js';

const MAX_ATTEMPTS = 4;
const TIMEOUT_MS = 10_000;

/**
 * Answers by a PUT to the signed URL. No Content-Type: CloudFormation has signed the URL for a request without one, so the body goes as octets.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html
 */
export function cloudFormationAnswers(clock: Clock): CloudFormation {
  return {
    async answer(url, answer) {
      const body = Buffer.from(JSON.stringify(answer));
      for (let attempt = 1; ; attempt += 1) {
        const failure = await put(url, body);
        if (failure === undefined) return;
        if (attempt === MAX_ATTEMPTS) throw new Error(`CloudFormation was not answered: ${failure}`);
        await clock.sleepUntil(clock.nowMs() + 500 * 2 ** attempt);
      }
    },
  };
}

/** Resolves to what went wrong, without the URL: it is a secret. */
async function put(url: string, body: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  try {
    const { ok, status } = await fetch(url, { method: 'PUT', body, signal: AbortSignal.timeout(TIMEOUT_MS) });
    return ok ? undefined : `HTTP ${status}`;
  } catch (error) {
    return error instanceof Error ? error.name : 'no connection';
  }
}
