/** Singletons of the account: endpoints, event configurations, indexing configuration. */
import type { Operation } from '../../models/service.js';
import { AwsError } from '../../models/service.js';
import { refuseIndexOff } from './dynamic-groups.js';
import { invalidRequest } from './errors.js';
import type { IotState } from './state.js';

const EVENT_TYPES = [
  'THING',
  'THING_GROUP',
  'THING_TYPE',
  'THING_GROUP_MEMBERSHIP',
  'THING_GROUP_HIERARCHY',
  'THING_TYPE_ASSOCIATION',
  'JOB',
  'JOB_EXECUTION',
  'POLICY',
  'CERTIFICATE',
  'CA_CERTIFICATE',
];

/**
 * `iot:Data-ATS`, `iot:Data` → the MQTT gateway on AWS. The desk serves MQTT and HTTPS on two ports, so HTTP clients find the data plane at
 * the endpoint URL, and this answer names the MQTT gateway (`localhost:<port>`; AWS gives a host name without a port: README).
 */
function endpointAddress(state: IotState, type: string): string {
  const gateway = state.cloud.parts.gateway;
  if (type === 'iot:Data' || type === 'iot:Data-ATS' || type === 'iot:Data-Beta') {
    if (!gateway) throw new AwsError('InternalFailureException', 'The MQTT gateway is not running', 500);
    return `${gateway.host}:${gateway.port}`;
  }
  if (type === 'iot:Jobs' || type === 'iot:CredentialProvider') return new URL(state.cloud.endpoint).host;
  throw invalidRequest(`Invalid endpointType: ${type}`);
}

export function settingOperations(state: IotState): Record<string, Operation> {
  return {
    DescribeEndpoint: (input) => ({ endpointAddress: endpointAddress(state, input.endpointType ?? 'iot:Data') }),
    DescribeEventConfigurations: () => {
      const held = state.settings.events;
      return {
        eventConfigurations: Object.fromEntries(EVENT_TYPES.map((type) => [type, held?.configurations[type] ?? { Enabled: false }])),
        ...(held ? { creationDate: new Date(held.createdAtMs), lastModifiedDate: new Date(held.modifiedAtMs) } : {}),
      };
    },
    UpdateEventConfigurations: (input) => {
      for (const type of Object.keys(input.eventConfigurations ?? {}))
        if (!EVENT_TYPES.includes(type)) throw invalidRequest(`Unknown event type ${type}`);
      const now = state.now();
      const held = state.settings.events;
      // A patch: what is not named stays (FACTS D4).
      state.settings.events = {
        configurations: { ...held?.configurations, ...input.eventConfigurations },
        createdAtMs: held?.createdAtMs ?? now,
        modifiedAtMs: now,
      };
      return {};
    },
    UpdateIndexingConfiguration: (input) => {
      refuseIndexOff(state, input.thingIndexingConfiguration);
      const held = (state.settings.indexing ??= {});
      if (input.thingIndexingConfiguration) held.thing = input.thingIndexingConfiguration;
      if (input.thingGroupIndexingConfiguration) held.thingGroup = input.thingGroupIndexingConfiguration;
      return {};
    },
    GetIndexingConfiguration: () => ({
      thingIndexingConfiguration: state.settings.indexing?.thing ?? { thingIndexingMode: 'OFF' },
      thingGroupIndexingConfiguration: state.settings.indexing?.thingGroup ?? { thingGroupIndexingMode: 'OFF' },
    }),
  };
}
