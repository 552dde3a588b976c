/** What the application itself wrote down: the scenes read the audit trail in the ledger, as an auditor would, and not the desk's insides. */
import { paginateScan } from '@aws-sdk/client-dynamodb';
import type { Stage } from './stage.js';

const PAUSE_MS = 150;
const seen = new Set<string>();

/** Polls until `condition` holds; `false` after `timeoutMs`. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return true;
}

/** Waits for a decision of the sync with this outcome that no scene has seen yet, and tells its reason. */
export function reported(stage: Stage, outcome: string, timeoutMs = 60_000): Promise<boolean> {
  return until(async () => {
    const pages = paginateScan(
      { client: stage.clients.dynamodb },
      {
        TableName: stage.ledgerTable,
        FilterExpression: '#act = :sync AND #step = :outcome AND #detail.#outcome = :wanted',
        ExpressionAttributeNames: { '#act': 'act', '#step': 'step', '#detail': 'detail', '#outcome': 'outcome' },
        ExpressionAttributeValues: { ':sync': { S: 'sync' }, ':outcome': { S: 'outcome' }, ':wanted': { S: outcome } },
      },
    );
    for await (const { Items = [] } of pages) {
      for (const item of Items) {
        const row = `${item.pk?.S}/${item.sk?.S}`;
        if (seen.has(row)) continue;
        seen.add(row);
        const detail = item.detail?.M ?? {};
        stage.screen.say(`audit trail: ${outcome} (${[item.reason?.S, detail.refusals?.S].filter(Boolean).join(': ')})`);
        return true;
      }
    }
    return false;
  }, timeoutMs);
}
