/**
 * Shut-off as an AWS IoT command: the short way to a device that is connected, beside the job, which is the one that lasts.
 *
 *     cloud ── $aws/commands/things/<thing>/executions/<executionId>/request/json {operation: 'shut-off', …} ──► device
 *     cloud ◄── …/response/json {status: 'SUCCEEDED', result: {stopped: {s: 'actuation,telemetry'}}} ── device
 *     AWS ── …/response/accepted/json or …/response/rejected/json ──► device
 *
 * AWS keeps a command for nobody who is not connected (IG iot-remote-command-execution-start-monitor.html). So it can only shorten the way to `done`:
 * silence and refusals are said by the job alone. `resume` comes by the job alone too: nobody waits for it within seconds.
 *
 * The payload is that of the job, made by AWS out of a template and two parameters (IG iot-remote-command-create-manage.html).
 */
import { z } from 'zod';
import { SHUT_OFF_VERSION, ShutOffJob, type ShutOffFailure } from './shut-off.js';

/** A topic of AWS IoT commands: `<executionId>/request/json`, `+/response/accepted/json` … (reserved-topics.html#reserved-topics-commands). */
export function commandTopic(thing: string, suffix: string): string {
  return `$aws/commands/things/${thing}/executions/${suffix}`;
}

/** What a device subscribes to. The last level is the format and no wildcard: AWS ends connections that ask for reserved topics which it does not know. */
export const COMMAND_FILTERS = ['+/request/json', '+/response/accepted/json', '+/response/rejected/json'] as const;

/** What is behind `executions/`, by its two parts; `undefined`: another topic, or another thing's. */
export function readCommandTopic(thing: string, topic: string): { readonly executionId: string; readonly what: string } | undefined {
  const prefix = commandTopic(thing, '');
  if (!topic.startsWith(prefix)) return undefined;
  const [executionId = '', ...rest] = topic.slice(prefix.length).split('/');
  return executionId === '' ? undefined : { executionId, what: rest.join('/') };
}

/** By command a device is only ever told to stop. */
export const ShutOffCommand = ShutOffJob.extend({ operation: z.literal('shut-off') });
export type ShutOffCommand = z.infer<typeof ShutOffCommand>;

/** Parameters of the template, each a string. */
export const COMMAND_PARAMETERS = ['containmentId', 'reason'] as const satisfies readonly (keyof ShutOffCommand)[];
export type CommandParameters = Readonly<Record<(typeof COMMAND_PARAMETERS)[number], string>>;

/** `payloadTemplate` of the command: AWS puts the parameters of an execution into it. */
export function shutOffPayloadTemplate(): string {
  const placeholders = Object.fromEntries(COMMAND_PARAMETERS.map((name) => [name, `\${aws:iot:commandexecution::parameter:${name}}`]));
  return JSON.stringify({ operation: 'shut-off', version: SHUT_OFF_VERSION, ...placeholders });
}

/** What a device answers, once: AWS may refuse a second update that follows on the heels of the first (`DataConflict`, commands-troubleshooting.html). */
export interface CommandAnswer {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'REJECTED';
  /** `reasonCode`: `[A-Z0-9_-]+`, at most 64. */
  readonly statusReason?: { readonly reasonCode: string; readonly reasonDescription: string };
  /** On the wire the kind of a value is in lower case; GetCommandExecution says `S`. */
  readonly result?: Readonly<Record<string, { readonly s: string }>>;
}

/** The words of `statusDetails.reason`, as AWS IoT commands take them. */
export const reasonCode = (failure: ShutOffFailure): string => failure.toUpperCase();

/** AWS calls the execution TIMED_OUT after so long; what the device says later still counts (iot-remote-command-concepts.html). */
export const COMMAND_TIMEOUT_SECONDS = 30;

/** `commandId` at AWS IoT. */
export const shutOffCommandName = (prefix: string): string => `${prefix}-shut-off`;
