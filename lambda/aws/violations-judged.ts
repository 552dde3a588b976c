/**
 * The violations of an installation with what people judged them to be: of the built-in monitor on the row `VIOLATION#<violationId>` of the ledger, of Device
 * Defender Detect at Detect itself (PutVerificationStateOnViolation).
 */
import {
  ListActiveViolationsCommand,
  ListViolationEventsCommand,
  PutVerificationStateOnViolationCommand,
  type IoTClient,
} from '@aws-sdk/client-iot';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Parameters } from '../../domain/protocol/application-parameters.js';
import { builtInProfileName } from '../../domain/protocol/fleet-events.js';
import type { VerificationState } from '../../domain/protocol/violation.js';
import type { Clock } from '../ports/clock.js';
import type { JudgedViolation, JudgedViolations } from '../ports/judged-violations.js';
import type { SourcedViolation } from '../ports/violations.js';
import type { Ledger } from './ledger.js';
import { detectViolations } from './violations-detect.js';
import { monitorViolations } from './violations-monitor.js';
import { dynamoStandings, violationKey } from './violations-standings.js';

const PAGE = 250;
/** Detect keeps violations for so long (FACTS C3). */
const KEPT_MS = 30 * 86_400_000;

interface Source {
  readonly origin: JudgedViolation['origin'];
  open(thingName?: string): AsyncIterable<SourcedViolation>;
  find(violationId: string): Promise<SourcedViolation | undefined>;
  mark(violationId: string, state: VerificationState, description: string | undefined): Promise<void>;
}

function monitorSource(ledger: Ledger, clock: Clock, securityProfileName: string): Source {
  const { client, table: TableName } = ledger;
  const source = monitorViolations(ledger, securityProfileName);
  const standings = dynamoStandings(ledger, clock);
  async function* everywhere(): AsyncGenerator<SourcedViolation> {
    for await (const { standing } of standings.all()) {
      const { violationId, thingName } = standing;
      const found = violationId === undefined ? undefined : await source.read({ violationId, thingName, securityProfileName });
      if (found?.isOpen === true) yield found;
    }
  }
  return {
    origin: 'built-in',
    open: (thingName) => (thingName === undefined ? everywhere() : source.allOpenOf(thingName)),
    async find(violationId) {
      const { Item } = await client.send(new GetCommand({ TableName, Key: violationKey(violationId), ConsistentRead: true }));
      const thingName: unknown = Item?.['thingName'];
      return typeof thingName === 'string' ? source.read({ violationId, thingName, securityProfileName }) : undefined;
    },
    async mark(violationId, state, description) {
      await client.send(
        new UpdateCommand({
          TableName,
          Key: violationKey(violationId),
          // Never a row that is nothing but a judgement.
          ConditionExpression: 'attribute_exists(pk)',
          UpdateExpression: `SET verificationState = :state${description === undefined ? ' REMOVE verificationStateDescription' : ', verificationStateDescription = :description'}`,
          ExpressionAttributeValues: { ':state': state, ...(description === undefined ? {} : { ':description': description }) },
        }),
      );
    },
  };
}

async function* paged<Named>(read: (nextToken?: string) => Promise<{ nextToken?: string; items?: Named[] }>): AsyncGenerator<Named> {
  let nextToken: string | undefined;
  do {
    const page = await read(nextToken);
    yield* page.items ?? [];
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
}

function detectSource(client: IoTClient, profileNames: readonly string[], clock: Clock): Source {
  const source = detectViolations(client, new Set(profileNames), clock);
  async function* active() {
    for (const securityProfileName of profileNames)
      yield* paged(async (nextToken) => {
        const page = await client.send(new ListActiveViolationsCommand({ securityProfileName, maxResults: PAGE, nextToken }));
        return { items: page.activeViolations, nextToken: page.nextToken };
      });
  }
  async function* past() {
    const [startTime, endTime] = [new Date(clock.nowMs() - KEPT_MS), new Date(clock.nowMs())];
    for (const securityProfileName of profileNames)
      yield* paged(async (nextToken) => {
        const range = { startTime, endTime, securityProfileName, maxResults: PAGE, nextToken };
        const page = await client.send(new ListViolationEventsCommand(range));
        return { items: page.violationEvents, nextToken: page.nextToken };
      });
  }
  async function* everywhere(): AsyncGenerator<SourcedViolation> {
    const things = new Set<string>();
    for await (const { thingName } of active()) if (thingName !== undefined) things.add(thingName);
    for (const thingName of things) yield* source.allOpenOf(thingName);
  }
  return {
    origin: 'device-defender',
    open: (thingName) => (thingName === undefined ? everywhere() : source.allOpenOf(thingName)),
    async find(violationId) {
      for (const list of [active, past])
        for await (const { violationId: id, thingName = '', securityProfileName = '' } of list())
          if (id === violationId) return source.read({ violationId, thingName, securityProfileName });
      return undefined;
    },
    async mark(violationId, verificationState, verificationStateDescription) {
      await client.send(new PutVerificationStateOnViolationCommand({ violationId, verificationState, verificationStateDescription }));
    },
  };
}

/** Of whoever detects in this installation. */
export function judgedViolations(
  client: IoTClient,
  ledger: Ledger,
  clock: Clock,
  { prefix, detect, detectProfiles = '' }: Pick<Parameters, 'detect' | 'detectProfiles'> & { readonly prefix: string },
): JudgedViolations {
  const sources: readonly Source[] = [
    ...(detect === 'built-in' || detect === 'both' ? [monitorSource(ledger, clock, builtInProfileName(prefix))] : []),
    ...(detectProfiles === '' ? [] : [detectSource(client, detectProfiles.split(','), clock)]),
  ];
  return {
    async *open(thingName) {
      for (const source of sources) for await (const found of source.open(thingName)) yield { ...found, origin: source.origin };
    },
    async find(violationId) {
      for (const source of sources) {
        const found = await source.find(violationId);
        if (found !== undefined) return { ...found, origin: source.origin };
      }
      return undefined;
    },
    async mark({ violationId, origin }, state, description) {
      await sources.find((source) => source.origin === origin)?.mark(violationId, state, description);
    },
  };
}
