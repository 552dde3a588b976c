/** Time to Live, point-in-time recovery, tags. */
import { AwsError } from '../../models/service.js';
import type { Database } from './database.js';
import { validation } from './errors.js';

interface OfTable {
  readonly TableName: string;
}

export function updateTimeToLive(
  database: Database,
  input: OfTable & { readonly TimeToLiveSpecification: { readonly Enabled: boolean; readonly AttributeName: string } },
): Record<string, unknown> {
  const { settings } = database.record(input.TableName);
  const { Enabled, AttributeName } = input.TimeToLiveSpecification;
  if (Enabled && settings.ttlAttribute !== undefined) {
    throw validation(
      settings.ttlAttribute === AttributeName
        ? 'TimeToLive is already enabled'
        : `TimeToLive is active on a different AttributeName: current AttributeName is ${settings.ttlAttribute}`,
    );
  }
  if (!Enabled && settings.ttlAttribute === undefined) throw validation('TimeToLive is already disabled');
  if (Enabled) settings.ttlAttribute = AttributeName;
  else delete settings.ttlAttribute;
  return { TimeToLiveSpecification: { Enabled, AttributeName } };
}

export function describeTimeToLive(database: Database, input: OfTable): Record<string, unknown> {
  const { ttlAttribute } = database.record(input.TableName).settings;
  return {
    TimeToLiveDescription:
      ttlAttribute === undefined ? { TimeToLiveStatus: 'DISABLED' } : { TimeToLiveStatus: 'ENABLED', AttributeName: ttlAttribute },
  };
}

export function describeContinuousBackups(database: Database, input: OfTable): Record<string, unknown> {
  const recovery = tableOf(database, input).settings.pointInTimeRecovery;
  return {
    ContinuousBackupsDescription: {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription: recovery
        ? {
            PointInTimeRecoveryStatus: 'ENABLED',
            RecoveryPeriodInDays: recovery.days,
            EarliestRestorableDateTime: recovery.enabledAt,
            LatestRestorableDateTime: database.world.clock.date(),
          }
        : { PointInTimeRecoveryStatus: 'DISABLED' },
    },
  };
}

export function updateContinuousBackups(
  database: Database,
  input: OfTable & {
    readonly PointInTimeRecoverySpecification: { readonly PointInTimeRecoveryEnabled: boolean; readonly RecoveryPeriodInDays?: number };
  },
): Record<string, unknown> {
  const { settings } = tableOf(database, input);
  const { PointInTimeRecoveryEnabled, RecoveryPeriodInDays = 35 } = input.PointInTimeRecoverySpecification;
  if (PointInTimeRecoveryEnabled) {
    settings.pointInTimeRecovery = {
      enabledAt: settings.pointInTimeRecovery?.enabledAt ?? database.world.clock.date(),
      days: RecoveryPeriodInDays,
    };
  } else delete settings.pointInTimeRecovery;
  return describeContinuousBackups(database, input);
}

function tableOf(database: Database, input: OfTable) {
  const record = database.find(input.TableName);
  if (!record) throw new AwsError('TableNotFoundException', `Table not found: ${database.nameOf(input.TableName)}`);
  return record;
}

export function listTagsOfResource(database: Database, input: { readonly ResourceArn: string }): Record<string, unknown> {
  return { Tags: [...tagsOf(database, input.ResourceArn)].map(([Key, Value]) => ({ Key, Value })) };
}

export function tagResource(
  database: Database,
  input: { readonly ResourceArn: string; readonly Tags: readonly { readonly Key: string; readonly Value: string }[] },
): Record<string, unknown> {
  const tags = tagsOf(database, input.ResourceArn);
  for (const { Key, Value } of input.Tags) tags.set(Key, Value);
  return {};
}

export function untagResource(
  database: Database,
  input: { readonly ResourceArn: string; readonly TagKeys: readonly string[] },
): Record<string, unknown> {
  const tags = tagsOf(database, input.ResourceArn);
  for (const key of input.TagKeys) tags.delete(key);
  return {};
}

function tagsOf(database: Database, arn: string): Map<string, string> {
  const record = arn.startsWith('arn:') ? database.find(arn) : undefined;
  if (!record) throw new AwsError('ResourceNotFoundException', `Requested resource not found: ResourcArn: ${arn} not found`);
  return record.settings.tags;
}
