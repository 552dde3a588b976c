/** Commands, control plane (https://docs.aws.amazon.com/iot/latest/apireference/API_CreateCommand.html and its neighbours). */
import { AwsError, type Operation } from '../../../models/service.js';
import { checkWord, notFound, notServed } from '../errors.js';
import type { IotState } from '../state.js';
import { setTags } from '../tags.js';
import type { Command } from './command.js';
import { commandPage, invalid } from './errors.js';
import { checkPayload } from './payload.js';

/** A command may be deleted at once when it was deprecated for as long as an execution can last (iot-remote-command-concepts.html, "Pending deletion"). */
const LONGEST_EXECUTION_MS = 12 * 3600 * 1000;

function checkCommandId(value: unknown): string {
  if (typeof value !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(value))
    throw invalid(`Invalid commandId: got ${String(value).slice(0, 100)}, expected 1 to 64 of a-z, A-Z, 0-9, _ and -`);
  return value;
}

/** `most` characters, none of them a control character. */
function checkText(label: string, value: unknown, most: number): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.length > most || /\p{C}/u.test(value))
    throw invalid(`Invalid ${label}: expected at most ${most} characters without control characters`);
  return value;
}

const texts = (input: Parameters<Operation>[0]): Pick<Command, 'displayName' | 'description'> => {
  const displayName = checkText('displayName', input.displayName, 64);
  const description = checkText('description', input.description, 2028);
  return { ...(displayName === undefined ? {} : { displayName }), ...(description === undefined ? {} : { description }) };
};

const inUse = (commandId: string, message: string): AwsError => new AwsError('ConflictException', message, 409, { resourceId: commandId });

const flags = ({ deprecatedAtMs, pendingDeletion }: Command): { readonly deprecated: boolean; readonly pendingDeletion: boolean } => ({
  deprecated: deprecatedAtMs !== undefined,
  pendingDeletion,
});

const times = ({ createdAtMs, lastUpdatedAtMs }: Command): { readonly createdAt: Date; readonly lastUpdatedAt: Date } => ({
  createdAt: new Date(createdAtMs),
  lastUpdatedAt: new Date(lastUpdatedAtMs),
});

export function commandOperations(state: IotState): Record<string, Operation> {
  const { commands } = state.commands;
  const byId = (id: unknown): Command => {
    const found = commands.get(checkCommandId(id));
    if (!found) throw notFound(`Command ${String(id)} not found`);
    return found;
  };
  const remove = (command: Command): void => {
    commands.delete(command.commandId);
    state.tags.delete(command.arn);
  };
  return {
    CreateCommand: (input) => {
      const commandId = checkCommandId(input.commandId);
      if (input.namespace !== undefined && input.namespace !== 'AWS-IoT') throw notServed(`commands of the namespace ${input.namespace}`);
      if (input.roleArn !== undefined) throw invalid('roleArn is not supported in the namespace AWS-IoT');
      if (commands.has(commandId)) throw inUse(commandId, `Command ${commandId} already exists`);
      const now = state.now();
      const command: Command = {
        commandId,
        arn: state.arn(`command/${commandId}`),
        ...texts(input),
        ...checkPayload(input),
        createdAtMs: now,
        lastUpdatedAtMs: now,
        pendingDeletion: false,
      };
      commands.set(commandId, command);
      setTags(state, command.arn, input.tags);
      return { commandId, commandArn: command.arn };
    },
    GetCommand: (input) => {
      const command = byId(input.commandId);
      const { arn, createdAtMs: _created, lastUpdatedAtMs: _updated, deprecatedAtMs: _deprecated, ...shown } = command;
      return { commandArn: arn, namespace: 'AWS-IoT', ...shown, ...times(command), ...flags(command) };
    },
    ListCommands: (input) => {
      checkWord('namespace', input.namespace, ['AWS-IoT', 'AWS-IoT-FleetWise'], invalid);
      checkWord('sortOrder', input.sortOrder, ['ASCENDING', 'DESCENDING'], invalid);
      const listed = [...commands.values()].filter(
        ({ pendingDeletion, mandatoryParameters }) =>
          !pendingDeletion &&
          input.namespace !== 'AWS-IoT-FleetWise' &&
          (input.commandParameterName === undefined || mandatoryParameters?.some(({ name }) => name === input.commandParameterName)),
      );
      // In the order of their creation, which the map keeps.
      const { items, token } = commandPage(
        input.sortOrder === 'ASCENDING' ? listed : listed.toReversed(),
        ({ commandId }) => commandId,
        input.nextToken,
        input.maxResults,
      );
      return {
        commands: items.map((command) => ({
          commandArn: command.arn,
          commandId: command.commandId,
          ...(command.displayName === undefined ? {} : { displayName: command.displayName }),
          ...times(command),
          ...flags(command),
        })),
        ...(token ? { nextToken: token } : {}),
      };
    },
    UpdateCommand: (input) => {
      const command = byId(input.commandId);
      if (command.pendingDeletion) throw inUse(command.commandId, `Command ${command.commandId} is pending deletion`);
      const now = state.now();
      Object.assign(command, texts(input), { lastUpdatedAtMs: now });
      if (input.deprecated === true) command.deprecatedAtMs ??= now;
      if (input.deprecated === false) delete command.deprecatedAtMs;
      const { commandId, displayName, description } = command;
      return { commandId, displayName, description, deprecated: command.deprecatedAtMs !== undefined, lastUpdatedAt: new Date(now) };
    },
    DeleteCommand: (input) => {
      const command = byId(input.commandId);
      const now = state.now();
      const leftMs = (command.deprecatedAtMs ?? now) + LONGEST_EXECUTION_MS - now;
      if (leftMs <= 0) {
        remove(command);
        return { statusCode: 204 };
      }
      if (!command.pendingDeletion) state.cloud.world.clock.after(leftMs, () => remove(command));
      command.pendingDeletion = true;
      return { statusCode: 202 };
    },
  };
}
