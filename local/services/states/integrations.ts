/**
 * Calls of services on behalf of an execution, with the state machine's role: IAM and faults apply as to any caller. Answers and error names
 * are those of the optimised integrations (developer guide, "Integrating services"): `Lambda.TooManyRequestsException`, `SQS.AmazonSQSException` …
 */
import { randomUUID } from 'node:crypto';
import type { Cloud } from '../../cloud.js';
import type { Principal } from '../../iam/principal.js';
import { AwsError } from '../../models/service.js';
import type { TaskResource } from './engine.js';
import { StateFailure } from './failure.js';
import { type Json, type JsonObject, isObject } from './values.js';

/** How a service's errors are named: those in `modelled` by their own name, all others by the client's general one. */
interface Errors {
  readonly prefix: string;
  readonly service: string;
  readonly general: string;
  readonly modelled: Readonly<Record<string, string>>;
}

const same = (...names: readonly string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, name]));

const ERRORS: Readonly<Record<'lambda' | 'sqs' | 'sns' | 'events', Errors>> = {
  lambda: {
    prefix: 'Lambda',
    service: 'AWSLambda',
    general: 'AWSLambdaException',
    modelled: same(
      'ResourceNotFoundException',
      'ServiceException',
      'TooManyRequestsException',
      'InvalidParameterValueException',
      'InvalidRequestContentException',
      'RequestTooLargeException',
      'ResourceConflictException',
    ),
  },
  sqs: {
    prefix: 'SQS',
    service: 'AmazonSQS',
    general: 'AmazonSQSException',
    modelled: { 'AWS.SimpleQueueService.NonExistentQueue': 'QueueDoesNotExistException', QueueDoesNotExist: 'QueueDoesNotExistException' },
  },
  sns: {
    prefix: 'SNS',
    service: 'AmazonSNS',
    general: 'AmazonSNSException',
    modelled: same('NotFoundException', 'InvalidParameterException', 'AuthorizationErrorException', 'InternalErrorException'),
  },
  events: { prefix: 'EventBridge', service: 'AmazonCloudWatchEvents', general: 'AmazonCloudWatchEventsException', modelled: {} },
};

export class Integrations {
  constructor(
    private readonly cloud: Cloud,
    private readonly principal: () => Principal,
    /** The execution: what it puts on a bus names it. */
    private readonly executionArn: string,
    private readonly stateMachineArn: string,
  ) {}

  async call(resource: TaskResource, parameters: Json): Promise<Json> {
    if (resource.service === 'function')
      return this.invoke({ FunctionName: resource.arn, Payload: parameters }, (answer) => answer.payload);
    if (resource.service === 'lambda') return this.invoke(objectOf(parameters, 'lambda'), envelope);
    if (resource.service === 'events') return this.putEvents(objectOf(parameters, 'events'));
    const given = objectOf(parameters, resource.service);
    const [operation, textField] = resource.service === 'sqs' ? ['SendMessage', 'MessageBody'] : ['Publish', 'Message'];
    // Both take texts: JSON is sent as its text.
    const body = given[textField];
    const input = { ...given, ...(body === undefined || typeof body === 'string' ? {} : { [textField]: JSON.stringify(body) }) };
    const answer = await this.request(resource.service, operation, attributesOf(input));
    const shown = Object.fromEntries(Object.entries(answer)) as JsonObject;
    return { ...shown, ...httpMetadata(resource.service === 'sqs' ? 'application/x-amz-json-1.0' : 'text/xml', JSON.stringify(shown)) };
  }

  private async invoke(parameters: JsonObject, shape: (answer: Answer) => Json): Promise<Json> {
    const { Payload: payload, ClientContext: _context, ...rest } = parameters;
    const text = payload === undefined ? '{}' : JSON.stringify(payload);
    const output = await this.request('lambda', 'Invoke', { ...rest, Payload: Buffer.from(text) });
    const answerText = output.Payload instanceof Uint8Array ? Buffer.from(output.Payload).toString() : '';
    const value = answerText === '' ? null : (JSON.parse(answerText) as Json);
    if (output.FunctionError !== undefined) throw functionFailure(value, answerText);
    return shape({
      payload: value,
      text: answerText,
      statusCode: Number(output.StatusCode),
      logResult: output.LogResult as string | undefined,
    });
  }

  /** `Detail` may be JSON, and every event names the execution among its resources. */
  private async putEvents(parameters: JsonObject): Promise<Json> {
    const entries = (parameters.Entries ?? []) as readonly JsonObject[];
    const Entries = entries.map((entry) => ({
      ...entry,
      ...(entry.Detail === undefined || typeof entry.Detail === 'string' ? {} : { Detail: JSON.stringify(entry.Detail) }),
      Resources: [...((entry.Resources ?? []) as readonly string[]), this.executionArn, this.stateMachineArn],
    }));
    const output = await this.request('events', 'PutEvents', { Entries });
    const answer = { Entries: output.Entries as Json, FailedEntryCount: output.FailedEntryCount as number };
    if (answer.FailedEntryCount > 0) throw new StateFailure('EventBridge.FailedEntry', JSON.stringify(answer));
    return { ...answer, ...httpMetadata('application/x-amz-json-1.1', JSON.stringify(answer)) };
  }

  private async request(
    service: 'lambda' | 'sqs' | 'sns' | 'events',
    operation: string,
    input: Record<string, unknown>,
  ): Promise<Record<string, unknown>> {
    const { prefix, service: serviceName, general, modelled } = ERRORS[service];
    const lost = (): Error =>
      new StateFailure(`${prefix}.SdkClientException`, 'Unable to execute HTTP request: The target server failed to respond');
    try {
      return await this.cloud.callAs(this.principal(), service, operation, input, lost);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw new StateFailure(
        `${prefix}.${modelled[error.code] ?? general}`,
        `${error.message} (Service: ${serviceName}; Status Code: ${error.status}; Error Code: ${error.code}; Request ID: ${randomUUID()}; Proxy: null)`,
      );
    }
  }
}

interface Answer {
  readonly payload: Json;
  readonly text: string;
  readonly statusCode: number;
  readonly logResult: string | undefined;
}

/** lambda:invoke answers the whole of the Invoke API, with the payload as JSON. */
function envelope({ payload, text, statusCode, logResult }: Answer): Json {
  return {
    ExecutedVersion: '$LATEST',
    ...(logResult === undefined ? {} : { LogResult: logResult }),
    Payload: payload,
    ...httpMetadata('application/json', text, { 'X-Amz-Executed-Version': '$LATEST', 'x-amzn-Remapped-Content-Length': '0' }),
    StatusCode: statusCode,
  };
}

/** TaskFailedEventDetails API reference. */
const LONGEST_ERROR = 256;
const LONGEST_CAUSE = 32_768;

/** A function that threw: its own error type, and what it answered as the cause. */
function functionFailure(answer: Json, text: string): StateFailure {
  const type = isObject(answer) && typeof answer.errorType === 'string' && answer.errorType !== '' ? answer.errorType : 'Lambda.Unknown';
  return new StateFailure(type.slice(0, LONGEST_ERROR), text.slice(0, LONGEST_CAUSE));
}

function objectOf(parameters: Json, service: string): JsonObject {
  if (isObject(parameters)) return parameters;
  throw new StateFailure('States.Runtime', `The parameters of ${service} must be an object but were: ${JSON.stringify(parameters)}`);
}

/** Binary values of message attributes stand in JSON as Base64; the API takes bytes. */
function attributesOf(input: JsonObject): Record<string, unknown> {
  if (!isObject(input.MessageAttributes)) return { ...input };
  const MessageAttributes = Object.fromEntries(
    Object.entries(input.MessageAttributes).map(([name, attribute]) => [
      name,
      isObject(attribute) && typeof attribute.BinaryValue === 'string'
        ? { ...attribute, BinaryValue: Buffer.from(attribute.BinaryValue, 'base64') }
        : attribute,
    ]),
  );
  return { ...input, MessageAttributes };
}

/** What the AWS SDK for Java, which Step Functions uses, says of the answer. */
function httpMetadata(contentType: string, body: string, more: Readonly<Record<string, string>> = {}): JsonObject {
  const requestId = randomUUID();
  const headers: Record<string, string> = {
    ...more,
    Connection: 'keep-alive',
    'Content-Length': String(Buffer.byteLength(body)),
    'Content-Type': contentType,
    'x-amzn-RequestId': requestId,
  };
  return {
    SdkHttpMetadata: {
      AllHttpHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
      HttpHeaders: headers,
      HttpStatusCode: 200,
    },
    SdkResponseMetadata: { RequestId: requestId },
  };
}
