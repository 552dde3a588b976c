/** What is in alarm in the whole fleet, by who detects it: for people. Containment reads a violation by its id instead. */
import { ListActiveViolationsCommand, type IoTClient } from '@aws-sdk/client-iot';
import type { Parameters } from '../../domain/protocol/application-parameters.js';
import type { Clock } from '../ports/clock.js';
import type { OpenViolations } from '../ports/violations.js';
import type { Ledger } from './ledger.js';
import { dynamoStandings } from './violations-standings.js';

const PAGE = 250;

/** Of the built-in monitor: a client has a standing only while there is something to keep, so this is as long as the list of those that misbehave. */
function monitorOpenViolations(ledger: Ledger, clock: Clock): OpenViolations {
  const standings = dynamoStandings(ledger, clock);
  return {
    async *all() {
      for await (const { standing } of standings.all()) {
        const { violationId, thingName, behaviour } = standing;
        if (violationId !== undefined) yield { violationId, thingName, behavior: behaviour };
      }
    },
  };
}

/** Of Device Defender Detect: `profileNames`, the security profiles of this installation. */
function detectOpenViolations(client: IoTClient, profileNames: readonly string[]): OpenViolations {
  return {
    async *all() {
      for (const securityProfileName of profileNames) {
        let nextToken: string | undefined;
        do {
          const page = await client.send(new ListActiveViolationsCommand({ securityProfileName, maxResults: PAGE, nextToken }));
          for (const { violationId = '', thingName = '', behavior } of page.activeViolations ?? [])
            yield { violationId, thingName, behavior: behavior?.name ?? '' };
          nextToken = page.nextToken;
        } while (nextToken !== undefined);
      }
    },
  };
}

/** Of whoever detects in this installation. */
export function openViolations(
  client: IoTClient,
  ledger: Ledger,
  clock: Clock,
  { detect, detectProfiles = '' }: Pick<Parameters, 'detect' | 'detectProfiles'>,
): OpenViolations {
  const sources = [
    ...(detect === 'built-in' || detect === 'both' ? [monitorOpenViolations(ledger, clock)] : []),
    ...(detectProfiles === '' ? [] : [detectOpenViolations(client, detectProfiles.split(','))]),
  ];
  return {
    async *all() {
      for (const source of sources) yield* source.all();
    },
  };
}
