/** Logging of the account and of single resources (API_SetV2LoggingOptions, API_SetV2LoggingLevel). */
import { AwsError, type Operation } from '../../../models/service.js';
import { invalidRequest } from '../errors.js';
import { page } from '../paging.js';
import type { IotState, LoggingLevel } from '../state.js';
import { LOG_LEVELS } from './log-plan.js';

const TARGET_TYPES = ['THING_GROUP', 'CLIENT_ID', 'SOURCE_IP', 'PRINCIPAL_ID'];
/** Resource-level configurations of an account (General Reference, AWS IoT Core). */
const MOST_LEVELS = 1000;

const notConfigured = (): AwsError => new AwsError('NotConfiguredException', 'Logging is not configured', 404);

export function loggingOperations(state: IotState): Record<string, Operation> {
  const levels = (): Map<string, LoggingLevel> => (state.settings.loggingLevels ??= new Map());
  return {
    SetV2LoggingOptions: (input) => {
      if (input.defaultLogLevel !== undefined) checkLevel(input.defaultLogLevel, 'defaultLogLevel');
      for (const { eventType, logLevel } of input.eventConfigurations ?? []) {
        if (!eventType) throw invalidRequest('eventConfigurations: eventType is required');
        if (logLevel !== undefined) checkLevel(logLevel, `the log level of ${eventType}`);
      }
      state.settings.logging = { ...state.settings.logging, ...input };
      return {};
    },
    GetV2LoggingOptions: () => {
      if (!state.settings.logging) throw notConfigured();
      return { disableAllLogs: false, ...state.settings.logging };
    },
    SetV2LoggingLevel: ({ logTarget: { targetType, targetName }, logLevel }) => {
      if (!state.settings.logging) throw notConfigured();
      checkLevel(logLevel, 'logLevel');
      if (targetType === 'DEFAULT') {
        state.settings.logging = { ...state.settings.logging, defaultLogLevel: logLevel };
        return {};
      }
      checkTarget(state, targetType, targetName);
      const key = `${targetType}:${targetName}`;
      if (!levels().has(key) && levels().size >= MOST_LEVELS)
        throw new AwsError('LimitExceededException', `At most ${MOST_LEVELS} logging levels`, 410);
      levels().set(key, { targetType, targetName, logLevel });
      return {};
    },
    ListV2LoggingLevels: (input) => {
      if (!state.settings.logging) throw notConfigured();
      if (input.targetType !== undefined && input.targetType !== 'DEFAULT') checkTargetType(input.targetType);
      const { defaultLogLevel } = state.settings.logging;
      const all = [...(defaultLogLevel ? [{ targetType: 'DEFAULT', logLevel: defaultLogLevel }] : []), ...levels().values()].filter(
        ({ targetType }) => input.targetType === undefined || targetType === input.targetType,
      );
      const { items, token } = page(all, keyOf, input.nextToken, input.maxResults);
      return {
        logTargetConfigurations: items.map(({ logLevel, ...logTarget }) => ({ logTarget, logLevel })),
        ...(token ? { nextToken: token } : {}),
      };
    },
    DeleteV2LoggingLevel: ({ targetType, targetName }) => {
      checkTargetType(targetType);
      levels().delete(`${targetType}:${targetName}`);
      return {};
    },
  };
}

const keyOf = (level: { readonly targetType: string; readonly targetName?: string }): string =>
  `${level.targetType}:${level.targetName ?? ''}`;

function checkLevel(level: string, what: string): void {
  if (!LOG_LEVELS.includes(level)) throw invalidRequest(`Invalid ${what}: ${level}`);
}

function checkTargetType(targetType: string): void {
  if (!TARGET_TYPES.includes(targetType)) throw invalidRequest(`Invalid targetType ${targetType}`);
}

function checkTarget(state: IotState, targetType: string, targetName: string | undefined): void {
  checkTargetType(targetType);
  if (targetName === undefined || !/^[a-zA-Z0-9.:\s_-]{1,128}$/.test(targetName)) throw invalidRequest(`Invalid targetName ${targetName}`);
  if (targetType === 'THING_GROUP' && !state.groups.has(targetName)) throw invalidRequest(`Thing group ${targetName} does not exist`);
}
