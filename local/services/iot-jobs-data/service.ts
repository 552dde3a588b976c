/**
 * The data plane of AWS IoT Jobs over HTTPS, on which commands are started too:
 * https://docs.aws.amazon.com/iot/latest/apireference/API_Operations_AWS_IoT_Jobs_Data_Plane.html. Jobs and commands themselves are of the control plane.
 */
import type { Cloud } from '../../cloud.js';
import type { AccessRequest } from '../../iam/principal.js';
import { AwsError, type AwsService, type Operation } from '../../models/service.js';

type Json = Readonly<Record<string, unknown>>;

/** What the control plane does for this one. */
export interface JobsDataPlane {
  /** A device's request in the words of MQTT, `get`, `start-next`, `<jobId>/get`, `<jobId>/update`. A refusal is an error with a code of the Jobs protocol. */
  jobRequest(thingName: string, request: string, members: Json): Json;
  /** The code of such an error; undefined for every other. */
  codeOf(error: unknown): string | undefined;
  /** Answers the executionId. Throws AwsError. */
  startCommandExecution(input: Json): string;
  startAccess(input: Json): readonly AccessRequest[];
}

/** Errors of the pages of the API. None speaks of a version that does not match: it keeps the name that it has over MQTT. */
const ERROR_OF: Readonly<Record<string, readonly [code: string, status: number]>> = {
  InvalidTopic: ['InvalidRequestException', 400],
  InvalidJson: ['InvalidRequestException', 400],
  InvalidRequest: ['InvalidRequestException', 400],
  InvalidStateTransition: ['InvalidStateTransitionException', 409],
  ResourceNotFound: ['ResourceNotFoundException', 404],
  TerminalStateReached: ['TerminalStateException', 410],
  VersionMismatch: ['VersionMismatch', 409],
};

/** The job document is text here, where MQTT has the JSON itself. */
function asText({ jobDocument, ...rest }: Json): Json {
  return { ...rest, ...(jobDocument === undefined ? {} : { jobDocument: JSON.stringify(jobDocument) }) };
}

function execution(answer: Json): Json {
  const { execution: found } = answer as { readonly execution?: Json };
  return found === undefined ? {} : { execution: asText(found) };
}

const invalid = (message: string): AwsError => new AwsError('InvalidRequestException', message, 400);

function checked(label: string, value: unknown, pattern: RegExp): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw invalid(`Invalid ${label}: ${String(value).slice(0, 140)}`);
  return value;
}
const thingNameOf = (value: unknown): string => checked('thingName', value, /^[a-zA-Z0-9:_-]{1,128}$/);
const jobIdOf = (value: unknown): string => checked('jobId', value, /^([a-zA-Z0-9_-]{1,64}|\$next)$/);

export function iotJobsDataService(cloud: Cloud, plane: JobsDataPlane): AwsService {
  const { partition, region, accountId } = cloud.world;
  const ask = (thingName: unknown, request: string, members: Json): Json => {
    try {
      return plane.jobRequest(thingNameOf(thingName), request, members);
    } catch (error) {
      const [code, status] = ERROR_OF[plane.codeOf(error) ?? ''] ?? [];
      if (code === undefined || status === undefined || !(error instanceof Error)) throw error;
      throw new AwsError(code, error.message, status);
    }
  };
  const operations: Record<string, Operation> = {
    GetPendingJobExecutions: ({ thingName }) => ask(thingName, 'get', {}),
    StartNextPendingJobExecution: ({ thingName, ...members }) => execution(ask(thingName, 'start-next', members)),
    DescribeJobExecution: ({ thingName, jobId, ...members }) => execution(ask(thingName, `${jobIdOf(jobId)}/get`, members)),
    UpdateJobExecution: ({ thingName, jobId, ...members }) => asText(ask(thingName, `${jobIdOf(jobId)}/update`, members)),
    StartCommandExecution: (input) => ({ executionId: plane.startCommandExecution(input) }),
  };
  return {
    name: 'iotjobsdata',
    signingNames: ['iot-jobs-data'],
    operations,
    access: (operation, input) => {
      if (operation === 'StartCommandExecution') return plane.startAccess(input);
      const resource = `arn:${partition}:iot:${region}:${accountId}:thing/${String(input['thingName'])}`;
      const jobId = input['jobId'];
      return [{ action: `iotjobsdata:${operation}`, resource, ...(typeof jobId === 'string' ? { context: { 'iot:JobId': jobId } } : {}) }];
    },
  };
}
