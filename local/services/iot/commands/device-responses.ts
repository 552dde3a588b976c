/**
 * What devices report over MQTT, UpdateCommandExecution: `$aws/commands/{things|clients}/<id>/executions/<executionId>/response/json`. The answer
 * goes to `…/response/{accepted|rejected}/json`, for every subscriber: the format comes last.
 * https://docs.aws.amazon.com/iot/latest/developerguide/iot-remote-command-execution-start-monitor.html#iot-remote-command-execution-update
 */
import type { Responder } from '../../../gateway/reserved/responder.js';
import type { IotState } from '../state.js';
import { REPORTABLE, type CommandExecution, type ExecutionResult, type StatusReason } from './command.js';
import type { CommandEngine, Report } from './command-engine.js';

const TOPIC = /^(\$aws\/commands\/(things|clients)\/([^/]+)\/executions\/([^/]+)\/response)\/json$/;
const OPERATION = 'iotjobsdata:UpdateCommandExecution';

/** Codes and members of the device SDKs' own model of this API (RejectedErrorCode, V2ErrorResponse of aws-iot-device-sdk-java-v2). */
type ReportErrorCode =
  'InvalidJson' | 'InvalidRequest' | 'InvalidStateTransition' | 'ResourceNotFound' | 'InternalError' | 'RequestThrottled';

class ReportError extends Error {
  constructor(
    readonly code: ReportErrorCode,
    message: string,
  ) {
    super(message);
  }
}

const invalid = (message: string): ReportError => new ReportError('InvalidRequest', message);

export function commandResponses(state: IotState, engine: CommandEngine): Responder {
  const { faults, journal } = state.cloud.world;
  return {
    topic: TOPIC,
    respond: ([, base, kind, id, executionId], payload, { publish }) => {
      const fault = faults.request(OPERATION);
      const answer = (outcome: 'accepted' | 'rejected', message: Readonly<Record<string, unknown>>, detail?: string): void => {
        journal.add({ kind: 'call', what: OPERATION, who: id!, ok: outcome === 'accepted', ...(detail === undefined ? {} : { detail }) });
        if (fault !== 'lostAnswer') publish(`${base}/${outcome}/json`, JSON.stringify({ ...message, executionId }));
      };
      try {
        if (fault === 'throttle') throw new ReportError('RequestThrottled', 'Rate exceeded');
        if (fault === 'serverError') throw new ReportError('InternalError', 'Internal error');
        const report = readReport(payload);
        const execution = state.commands.execution(executionId!, state.now());
        if (!execution || execution.target.kind !== kind || execution.target.id !== id)
          throw new ReportError('ResourceNotFound', `Command execution ${executionId} of ${id} does not exist`);
        checkTransition(execution, report);
        engine.report(execution, report);
        answer('accepted', {});
      } catch (error) {
        if (!(error instanceof ReportError)) throw error;
        answer('rejected', { error: error.code, errorMessage: error.message }, error.code);
      }
    },
  };
}

/** The table of iot-remote-command-concepts.html: from a TIMED_OUT of the cloud there is no way back to IN_PROGRESS. */
function checkTransition({ status, isTerminal }: CommandExecution, report: Report): void {
  if (isTerminal || (status === 'TIMED_OUT' && report.status === 'IN_PROGRESS'))
    throw new ReportError('InvalidStateTransition', `The command execution is ${status}`);
}

type Members = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Members that AWS does not name (its own sample has `deviceId`) are passed over. */
function readReport(payload: Uint8Array): Report {
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    throw new ReportError('InvalidJson', 'The payload is not UTF-8 encoded JSON');
  }
  if (!isObject(body)) throw invalid('The payload is not a JSON object');
  const status = REPORTABLE.find((word) => word === body['status']);
  if (!status) throw invalid(`status: expected one of ${REPORTABLE.join(', ')}`);
  return {
    status,
    ...(body['statusReason'] === undefined ? {} : { statusReason: readReason(body['statusReason']) }),
    ...(body['result'] === undefined ? {} : { result: readResult(body['result']) }),
  };
}

function readReason(reason: unknown): StatusReason {
  if (!isObject(reason)) throw invalid('statusReason: expected an object');
  const { reasonCode, reasonDescription } = reason;
  if (typeof reasonCode !== 'string' || !/^[A-Z0-9_-]{1,64}$/.test(reasonCode)) throw invalid('reasonCode: expected [A-Z0-9_-]{1,64}');
  if (reasonDescription === undefined) return { reasonCode };
  if (typeof reasonDescription !== 'string' || reasonDescription.length > 1024 || /\p{Cc}/u.test(reasonDescription))
    throw invalid('reasonDescription: expected at most 1024 characters, none of them a control character');
  return { reasonCode, reasonDescription };
}

/** Keys of types are lower case here and upper case in the API. */
function readResult(result: unknown): ExecutionResult {
  if (!isObject(result)) throw invalid('result: expected an object');
  const entries = Object.entries(result);
  if (entries.length === 0) throw invalid('At least 1 command execution result is required');
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const [[type, given] = [], ...more] = isObject(value) ? Object.entries(value) : [];
      if (more.length === 0 && type === 's' && typeof given === 'string') return [name, { S: given }];
      if (more.length === 0 && type === 'b' && typeof given === 'boolean') return [name, { B: given }];
      if (more.length === 0 && type === 'bin' && typeof given === 'string') return [name, { BIN: Buffer.from(given, 'base64') }];
      throw invalid(`result.${name.slice(0, 100)}: expected {"s": text}, {"b": true or false} or {"bin": base64}`);
    }),
  );
}
