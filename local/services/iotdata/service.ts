/** The data plane of AWS IoT over HTTPS: https://docs.aws.amazon.com/iot/latest/apireference/API_Operations_AWS_IoT_Data_Plane.html. */
import type { Cloud } from '../../cloud.js';
import type { DeskGateway } from '../../gateway/gateway.js';
import { MAX_CLIENT_ID_BYTES, MAX_PAYLOAD_BYTES } from '../../gateway/limits.js';
import { ShadowError, type ShadowUpdate } from '../../gateway/reserved/shadow-store.js';
import { isTopicName } from '../../gateway/topic-filter.js';
import type { AccessRequest } from '../../iam/principal.js';
import { AwsError, type AwsService, type Operation } from '../../models/service.js';

const invalid = (message: string): AwsError => new AwsError('InvalidRequestException', message, 400);
const MAX_PAGE = 200;

function thingNameOf(value: unknown): string {
  if (typeof value !== 'string' || !/^[a-zA-Z0-9:_-]{1,128}$/.test(value)) throw invalid(`Invalid thing name: ${String(value)}`);
  return value;
}

function clientIdOf(value: unknown): string {
  // "MQTT client IDs can't start with a dollar sign ($)" (API_iotdata_DeleteConnection).
  if (typeof value !== 'string' || value === '' || Buffer.byteLength(value) > MAX_CLIENT_ID_BYTES || value.startsWith('$'))
    throw invalid(`Invalid client id: ${String(value)}`);
  return value;
}

/** A shadow's error as the HTTP API names it. */
function shadowCall<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof ShadowError)) throw error;
    const names: Readonly<Record<number, string>> = {
      404: 'ResourceNotFoundException',
      409: 'ConflictException',
      413: 'RequestEntityTooLargeException',
    };
    throw new AwsError(names[error.code] ?? 'InvalidRequestException', error.message, error.code);
  }
}

const json = (value: unknown): { payload: Uint8Array } => ({ payload: Buffer.from(JSON.stringify(value)) });

/** The header x-amz-mqtt5-user-properties: JSON `[{"name": "value"}, …]`; repeated names keep all values, as in MQTT 5. */
function userPropertiesOf(text: unknown): Record<string, string | string[]> | undefined {
  if (text === undefined) return undefined;
  const list: unknown = typeof text === 'string' ? JSON.parse(text) : text;
  if (!Array.isArray(list)) throw invalid('userProperties must be a list');
  const result: Record<string, string | string[]> = {};
  for (const [name, value] of list.flatMap((entry: unknown) => Object.entries(entry as Record<string, string>))) {
    const held = result[name];
    result[name] = held === undefined ? value : [...(Array.isArray(held) ? held : [held]), value];
  }
  return result;
}

/** A page of a list by its last key. Tokens are opaque. */
function page<T>(
  items: readonly T[],
  key: (item: T) => string,
  token: unknown,
  size: unknown,
): { readonly items: readonly T[]; readonly nextToken?: string } {
  const limit = typeof size === 'number' ? size : 100;
  if (limit < 1 || limit > MAX_PAGE) throw invalid(`Page size: got ${limit}, expected 1 to ${MAX_PAGE}`);
  const after = typeof token === 'string' ? Buffer.from(token, 'base64url').toString() : '';
  const rest = items.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)).filter((item) => key(item) > after);
  const chosen = rest.slice(0, limit);
  return { items: chosen, ...(rest.length > limit ? { nextToken: Buffer.from(key(chosen.at(-1)!)).toString('base64url') } : {}) };
}

export function iotDataService(cloud: Cloud, gateway: DeskGateway): AwsService {
  const { clock, partition, region, accountId } = cloud.world;
  const arn = (resource: string): string => `arn:${partition}:iot:${region}:${accountId}:${resource}`;
  const operations: Record<string, Operation> = {
    Publish: (input) => {
      const payload = Buffer.from((input.payload as Uint8Array | undefined) ?? new Uint8Array());
      if (!isTopicName(input.topic) || (input.topic.startsWith('$') && !/^\$aws\/(rules|things)\//.test(input.topic)))
        throw invalid(`Invalid topic: ${input.topic}`);
      if (payload.length > MAX_PAYLOAD_BYTES) throw new AwsError('RequestEntityTooLargeException', 'The payload exceeds 128 KB', 413);
      if (input.qos !== undefined && input.qos !== 0 && input.qos !== 1) throw invalid('qos must be 0 or 1');
      if (input.retain && input.topic.startsWith('$')) throw invalid('Reserved topics cannot be retained');
      const userProperties = userPropertiesOf(input.userProperties);
      gateway.publishFromApi({
        topic: input.topic,
        payload,
        qos: input.qos === 1 ? 1 : 0,
        retain: input.retain === true,
        properties: {
          ...(input.payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator: input.payloadFormatIndicator === 'UTF8_DATA' }),
          ...(input.contentType === undefined ? {} : { contentType: input.contentType }),
          ...(input.responseTopic === undefined ? {} : { responseTopic: input.responseTopic }),
          ...(input.correlationData === undefined ? {} : { correlationData: Buffer.from(input.correlationData, 'base64') }),
          ...(userProperties === undefined ? {} : { userProperties }),
        },
        ...(input.messageExpiry === undefined ? {} : { expiresAtMs: clock.nowMs() + Number(input.messageExpiry) * 1000 }),
      });
      return {};
    },
    DeleteConnection: (input) => {
      const clientId = clientIdOf(input.clientId);
      if (!gateway.deleteConnection(clientId, input))
        throw new AwsError('ResourceNotFoundException', `Client ${clientId} is not connected`, 404);
      return {};
    },
    GetThingShadow: (input) => json(shadowCall(() => gateway.shadows.get(thingNameOf(input.thingName), input.shadowName))),
    UpdateThingShadow: (input) => {
      const thingName = thingNameOf(input.thingName);
      const update: ShadowUpdate = shadowCall(() => gateway.shadows.update(thingName, input.shadowName, input.payload));
      const topic = `$aws/things/${thingName}/shadow${input.shadowName ? `/name/${input.shadowName}` : ''}/update`;
      gateway.publish(`${topic}/accepted`, JSON.stringify(update.accepted));
      if (update.delta) gateway.publish(`${topic}/delta`, JSON.stringify(update.delta));
      gateway.publish(`${topic}/documents`, JSON.stringify(update.documents));
      return json(update.accepted);
    },
    DeleteThingShadow: (input) => json(shadowCall(() => gateway.shadows.delete(thingNameOf(input.thingName), input.shadowName))),
    ListNamedShadowsForThing: (input) => {
      const { items, nextToken } = page(
        gateway.shadows.namesOf(thingNameOf(input.thingName)),
        (name) => name,
        input.nextToken,
        input.pageSize,
      );
      return { results: items, timestamp: Math.floor(clock.nowMs() / 1000), ...(nextToken ? { nextToken } : {}) };
    },
    GetRetainedMessage: (input) => {
      const found = gateway.retained.get(input.topic);
      if (!found) throw new AwsError('ResourceNotFoundException', `No retained message on topic ${input.topic}`, 404);
      return { topic: input.topic, payload: found.message.payload, qos: found.message.qos, lastModifiedTime: found.modifiedAtMs };
    },
    ListRetainedMessages: (input) => {
      const { items, nextToken } = page(gateway.retained.all(), ({ message }) => message.topic, input.nextToken, input.maxResults);
      return {
        retainedTopics: items.map(({ message, modifiedAtMs }) => ({
          topic: message.topic,
          payloadSize: message.payload.length,
          qos: message.qos,
          lastModifiedTime: modifiedAtMs,
        })),
        ...(nextToken ? { nextToken } : {}),
      };
    },
  };
  return {
    name: 'iotdata',
    signingNames: ['iotdata', 'iotdevicegateway'],
    operations,
    access: (operation, input) => accessRequests(operation, input, arn),
  };
}

/** Resource types: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiot.html */
function accessRequests(
  operation: string,
  input: Readonly<Record<string, unknown>>,
  arn: (resource: string) => string,
): readonly AccessRequest[] {
  switch (operation) {
    case 'Publish': {
      const resource = arn(`topic/${String(input['topic'])}`);
      return [{ action: 'iot:Publish', resource }, ...(input['retain'] ? [{ action: 'iot:RetainPublish', resource }] : [])];
    }
    case 'DeleteConnection':
      return [{ action: 'iot:DeleteConnection', resource: arn(`client/${String(input['clientId'])}`) }];
    case 'GetRetainedMessage':
      return [{ action: 'iot:GetRetainedMessage', resource: arn(`topic/${String(input['topic'])}`) }];
    case 'ListRetainedMessages':
      return [{ action: 'iot:ListRetainedMessages', resource: '*' }];
    default: {
      const shadow = typeof input['shadowName'] === 'string' ? `/${input['shadowName']}` : '';
      return [{ action: `iot:${operation}`, resource: arn(`thing/${String(input['thingName'])}${shadow}`) }];
    }
  }
}
