/** What the application itself wrote down: the scenes read the audit trail in the ledger, as an auditor would, and not the desk's insides. */
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
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

/** Rows of the audit trail with this outcome of the sync (of any, where none is given) that no scene has seen yet. */
async function* unseen(stage: Stage, outcome?: string): AsyncGenerator<{ reason: string; refusals: string }> {
  const pages = paginateScan(
    { client: stage.clients.dynamodb },
    {
      TableName: stage.ledgerTable,
      FilterExpression: '#act = :sync AND #step = :outcome',
      ExpressionAttributeNames: { '#act': 'act', '#step': 'step' },
      ExpressionAttributeValues: { ':sync': { S: 'sync' }, ':outcome': { S: 'outcome' } },
    },
  );
  for await (const { Items = [] } of pages) {
    for (const { pk, sk, reason, detail } of Items) {
      const row = `${pk?.S}/${sk?.S}`;
      if (seen.has(row) || (outcome !== undefined && detail?.M?.outcome?.S !== outcome)) continue;
      seen.add(row);
      yield { reason: reason?.S ?? '', refusals: detail?.M?.refusals?.S ?? '' };
    }
  }
}

/** What is on record so far is no news any more. */
export async function ignoreEarlier(stage: Stage): Promise<void> {
  for await (const row of unseen(stage)) void row;
}

/** Waits for a new row with this outcome, and says its reason. */
export function reported(stage: Stage, outcome: string, timeoutMs = 60_000): Promise<boolean> {
  return until(async () => {
    for await (const { reason, refusals } of unseen(stage, outcome)) {
      stage.screen.say(`audit trail: ${outcome} (${[reason, refusals].filter(Boolean).join(': ')})`);
      return true;
    }
    return false;
  }, timeoutMs);
}

/** One line of the audit trail. */
export interface Row {
  readonly act: string;
  readonly step: string;
  readonly reason: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** What was decided about a certificate, with its outcome, oldest first. */
export async function decisionsOn(stage: Stage, certificateId: string, act: string): Promise<Row[]> {
  const pages = paginateQuery(
    { client: DynamoDBDocumentClient.from(stage.clients.dynamodb) },
    {
      TableName: stage.ledgerTable,
      KeyConditionExpression: 'pk = :subject',
      ExpressionAttributeValues: { ':subject': `CERT#${certificateId}` },
      ConsistentRead: true,
    },
  );
  const rows: Row[] = [];
  for await (const { Items = [] } of pages) rows.push(...(Items as Row[]));
  return rows.filter((row) => row.act === act && row.step === 'outcome');
}
