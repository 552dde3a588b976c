/** Two deliveries of one message at once: the second must recognise the run of the first, whatever it reads of the window in between. */
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoBrake } from '../../lambda/aws/brake.js';
import { documentClient } from '../../lambda/aws/clients.js';
import { wallClock } from '../../lambda/runtime/clock.js';
import type { Desk } from '../../local/desk.js';
import { deskWithStores, TABLES } from './desk-ports.js';

let desk: Desk;
beforeAll(async () => {
  desk = await deskWithStores();
});
afterAll(() => desk?.stop());

test('a delivery that overtakes itself is granted, not held', async () => {
  const nowMs = Date.now();
  const first = dynamoBrake({ client: documentClient(), table: TABLES.ledger }, 60, wallClock);
  const slow: DynamoDBDocumentClient = documentClient();
  // The first delivery gets its grant just before the second one reads the window.
  let overtaken = false;
  slow.middlewareStack.add(
    (next) => async (args) => {
      const { Key } = args.input as { Key?: { sk?: unknown } };
      if (Key?.sk === 'WINDOW' && !overtaken) {
        overtaken = true;
        expect(await first.reserve('digest', 3, 5, nowMs)).toEqual({ granted: true, usedInWindow: 3 });
      }
      return next(args);
    },
    { step: 'initialize', priority: 'high' },
  );
  const second = dynamoBrake({ client: slow, table: TABLES.ledger }, 60, wallClock);
  expect(await second.reserve('digest', 3, 5, nowMs)).toEqual({ granted: true, usedInWindow: 3 });
  expect(overtaken).toBe(true);
});
