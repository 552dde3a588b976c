/**
 * Which SDK client describes which service, and the words that its schemas do not hold: the codes for a bad request, a throttled one, a denied one
 * and a failure of the service. Codes: the service's own "Common Errors" and error pages in its API reference.
 */
import { ACM_PCA_SCHEMAS } from '../services/acm-pca/model.js';
import { readSchemas, type ErrorWords, type ServiceModel, type WireProtocol } from './model.js';

interface CatalogEntry {
  readonly protocols: readonly WireProtocol[];
  readonly words: ErrorWords;
  /** The client's exports, and its class for the names that only its configuration holds. */
  readonly load: () => Promise<{ readonly exports: Readonly<Record<string, unknown>>; readonly settings: ProtocolSettings }>;
}

interface ProtocolSettings {
  readonly defaultNamespace: string;
  readonly serviceTarget: string;
  readonly xmlNamespace?: string;
}

type ClientClass = new (configuration: { region: string; credentials: { accessKeyId: string; secretAccessKey: string } }) => unknown;

/** The settings are public members of the client's resolved configuration, but not of its type. */
function client(
  exports: Readonly<Record<string, unknown>>,
  className: string,
): { exports: Readonly<Record<string, unknown>>; settings: ProtocolSettings } {
  const Client = exports[className] as ClientClass;
  const instance = new Client({ region: 'eu-west-1', credentials: { accessKeyId: 'schema', secretAccessKey: 'schema' } });
  const { config } = instance as { config: { protocolSettings: ProtocolSettings } };
  return { exports, settings: config.protocolSettings };
}

const json = (validation: string, throttling = 'ThrottlingException', internal = 'InternalServerException'): ErrorWords => ({
  validation,
  throttling: [throttling, 400],
  accessDenied: ['AccessDeniedException', 400],
  internal: [internal, 500],
});

const CATALOG: Readonly<Record<string, CatalogEntry>> = {
  iot: {
    protocols: ['restJson1'],
    words: {
      validation: 'InvalidRequestException',
      throttling: ['ThrottlingException', 429],
      accessDenied: ['AccessDeniedException', 403],
      internal: ['InternalFailureException', 500],
    },
    load: async () => client(await import('@aws-sdk/client-iot'), 'IoTClient'),
  },
  iotdata: {
    protocols: ['restJson1'],
    words: {
      validation: 'InvalidRequestException',
      throttling: ['ThrottlingException', 429],
      accessDenied: ['ForbiddenException', 403],
      internal: ['InternalFailureException', 500],
    },
    load: async () => client(await import('@aws-sdk/client-iot-data-plane'), 'IoTDataPlaneClient'),
  },
  iotjobsdata: {
    protocols: ['restJson1'],
    words: {
      validation: 'ValidationException',
      throttling: ['ThrottlingException', 429],
      accessDenied: ['AccessDeniedException', 403],
      internal: ['InternalServerException', 500],
    },
    load: async () => client(await import('@aws-sdk/client-iot-jobs-data-plane'), 'IoTJobsDataPlaneClient'),
  },
  lambda: {
    protocols: ['restJson1'],
    words: {
      validation: 'InvalidParameterValueException',
      throttling: ['TooManyRequestsException', 429],
      accessDenied: ['AccessDeniedException', 403],
      internal: ['ServiceException', 500],
    },
    load: async () => client(await import('@aws-sdk/client-lambda'), 'LambdaClient'),
  },
  dynamodb: {
    protocols: ['awsJson1_0'],
    words: json('ValidationException', 'ThrottlingException', 'InternalServerError'),
    load: async () => client(await import('@aws-sdk/client-dynamodb'), 'DynamoDBClient'),
  },
  sqs: {
    protocols: ['awsJson1_0', 'awsQuery'],
    words: {
      validation: 'InvalidParameterValue',
      throttling: ['RequestThrottled', 400],
      accessDenied: ['AccessDenied', 403],
      internal: ['InternalError', 500],
    },
    load: async () => client(await import('@aws-sdk/client-sqs'), 'SQSClient'),
  },
  sns: {
    protocols: ['awsQuery'],
    words: {
      validation: 'InvalidParameter',
      throttling: ['Throttled', 429],
      accessDenied: ['AuthorizationError', 403],
      internal: ['InternalError', 500],
    },
    load: async () => client(await import('@aws-sdk/client-sns'), 'SNSClient'),
  },
  sts: {
    protocols: ['awsQuery'],
    words: {
      validation: 'ValidationError',
      throttling: ['Throttling', 400],
      accessDenied: ['AccessDenied', 403],
      internal: ['InternalFailure', 500],
    },
    load: async () => client(await import('@aws-sdk/client-sts'), 'STSClient'),
  },
  cloudwatch: {
    protocols: ['awsJson1_0', 'awsQuery', 'rpcv2Cbor'],
    words: {
      validation: 'InvalidParameterValue',
      throttling: ['Throttling', 400],
      accessDenied: ['AccessDenied', 403],
      internal: ['InternalServiceError', 500],
    },
    load: async () => client(await import('@aws-sdk/client-cloudwatch'), 'CloudWatchClient'),
  },
  logs: {
    protocols: ['awsJson1_1'],
    words: json('InvalidParameterException', 'ThrottlingException', 'ServiceUnavailableException'),
    load: async () => client(await import('@aws-sdk/client-cloudwatch-logs'), 'CloudWatchLogsClient'),
  },
  events: {
    protocols: ['awsJson1_1'],
    words: json('ValidationException', 'ThrottlingException', 'InternalException'),
    load: async () => client(await import('@aws-sdk/client-eventbridge'), 'EventBridgeClient'),
  },
  kinesis: {
    protocols: ['awsJson1_1'],
    words: json('ValidationException', 'ProvisionedThroughputExceededException', 'InternalFailureException'),
    load: async () => client(await import('@aws-sdk/client-kinesis'), 'KinesisClient'),
  },
  kms: {
    protocols: ['awsJson1_1'],
    words: json('ValidationException', 'ThrottlingException', 'KMSInternalException'),
    load: async () => client(await import('@aws-sdk/client-kms'), 'KMSClient'),
  },
  states: {
    protocols: ['awsJson1_0'],
    words: json('ValidationException'),
    load: async () => client(await import('@aws-sdk/client-sfn'), 'SFNClient'),
  },
  ssm: {
    protocols: ['awsJson1_1'],
    words: json('ValidationException', 'ThrottlingException', 'InternalServerError'),
    load: async () => client(await import('@aws-sdk/client-ssm'), 'SSMClient'),
  },
  'acm-pca': {
    protocols: ['awsJson1_1'],
    words: json('ValidationException', 'ThrottlingException', 'InternalFailure'),
    load: () =>
      Promise.resolve({ exports: ACM_PCA_SCHEMAS, settings: { defaultNamespace: 'com.amazonaws.acmpca', serviceTarget: 'ACMPrivateCA' } }),
  },
  s3: {
    protocols: ['restXml'],
    words: {
      validation: 'InvalidRequest',
      throttling: ['SlowDown', 503],
      accessDenied: ['AccessDenied', 403],
      internal: ['InternalError', 500],
    },
    load: async () => client(await import('@aws-sdk/client-s3'), 'S3Client'),
  },
};

const loaded = new Map<string, Promise<ServiceModel>>();

/** The model of a service by AWS's own name; loaded once, when it is first wanted. */
export function modelOf(service: string): Promise<ServiceModel> {
  const known = loaded.get(service);
  if (known) return known;
  const loading = loadModel(service);
  loaded.set(service, loading);
  return loading;
}

async function loadModel(service: string): Promise<ServiceModel> {
  const entry = CATALOG[service];
  if (!entry) throw new Error(`model of service: got '${service}', expected one of ${Object.keys(CATALOG).join(', ')}`);
  const { exports, settings } = await entry.load();
  return {
    name: service,
    protocols: entry.protocols,
    namespace: settings.defaultNamespace,
    target: settings.serviceTarget,
    xmlNamespace: settings.xmlNamespace ?? '',
    words: entry.words,
    ...readSchemas(exports),
  };
}
