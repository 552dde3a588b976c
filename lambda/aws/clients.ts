/**
 * The SDK clients, each built once for each execution environment by the handler that needs it. Endpoint, region and credentials come from
 * the environment and from nowhere else: that is all that the desk changes.
 */
import { ACMPCAClient } from '@aws-sdk/client-acm-pca';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTJobsDataPlaneClient } from '@aws-sdk/client-iot-jobs-data-plane';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/**
 * Standard mode: exponential back-off with jitter, and a budget that stops hammering a service that is down. Five attempts ride out a blip;
 * what lasts longer goes back to the queue. Time-outs, because without them a lost answer would eat the function's whole time.
 */
const patient = { maxAttempts: 5, retryMode: 'standard', requestHandler: { connectionTimeout: 3_000, requestTimeout: 15_000 } } as const;

/** `removeUndefinedValues`: an optional field that is absent stays absent in the item. */
export const documentClient = (): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(new DynamoDBClient(patient), { marshallOptions: { removeUndefinedValues: true } });

export const s3Client = (): S3Client => new S3Client(patient);

export const sqsClient = (): SQSClient => new SQSClient(patient);

export const snsClient = (): SNSClient => new SNSClient(patient);

export const logsClient = (): CloudWatchLogsClient => new CloudWatchLogsClient(patient);

export const ssmClient = (): SSMClient => new SSMClient(patient);

export const privateCaClient = (): ACMPCAClient => new ACMPCAClient({ maxAttempts: 5, retryMode: 'standard' });

/** Few attempts: a throttled call is repeated by the paced worker in a new slot of the shared pace, not by the SDK beside it. */
export const iotClient = (): IoTClient => new IoTClient({ ...patient, maxAttempts: 2 });

/** For calls that no pace of ours repeats. */
export const patientIotClient = (): IoTClient => new IoTClient(patient);

export const iotDataClient = (): IoTDataPlaneClient => new IoTDataPlaneClient({ ...patient, maxAttempts: 2 });

/**
 * `host`: the account's own endpoint of AWS IoT Jobs, which is the only one that AWS takes calls at (aws-sdk-js-v3 issue 5533: "Invalid endpoint. Use
 * describe-endpoint API"). Absent: the environment names one.
 */
export const iotJobsDataClient = (host?: string): IoTJobsDataPlaneClient =>
  new IoTJobsDataPlaneClient({ ...patient, maxAttempts: 2, ...(host === undefined ? {} : { endpoint: `https://${host}` }) });

/** Does the environment name the endpoint of AWS IoT Jobs, by AWS's own variables? At the desk it does. */
export const namesJobsEndpoint = (environment: NodeJS.ProcessEnv = process.env): boolean =>
  (environment['AWS_ENDPOINT_URL_IOT_JOBS_DATA_PLANE'] ?? environment['AWS_ENDPOINT_URL']) !== undefined;

/** Speaks HTTP/2, with a request handler of its own. */
export const kinesisClient = (): KinesisClient => new KinesisClient({ maxAttempts: 5, retryMode: 'standard' });
