/** Amazon CloudWatch on the desk: its operations, what IAM must allow for each, and the metrics of the other services. */
import type { Cloud } from '../../cloud.js';
import type { AccessRequest } from '../../iam/principal.js';
import { Alarms } from './alarms.js';
import { MetricStore } from './metric-store.js';
import { cloudwatchOperations } from './operations.js';

/** Starts CloudWatch. The answer stops the regular evaluation of alarms. */
export function startCloudwatch(cloud: Cloud): () => void {
  const { clock } = cloud.world;
  const store = new MetricStore();
  const alarms = new Alarms(cloud, store);
  cloud.addService({
    name: 'cloudwatch',
    signingNames: ['monitoring'],
    operations: cloudwatchOperations(store, alarms, cloud.world),
    access: (operation, input) => access(alarms, operation, input),
  });
  cloud.parts.metrics = (values) => alarms.wake(new Set(values.map((value) => store.add(value, value.atMs ?? clock.nowMs()))));
  return clock.every(60_000, () => alarms.evaluateAll());
}

function access(alarms: Alarms, operation: string, input: Readonly<Record<string, unknown>>): readonly AccessRequest[] {
  const action = `cloudwatch:${operation}`;
  if (operation === 'PutMetricData') return [{ action, resource: '*', context: { 'cloudwatch:namespace': String(input.Namespace) } }];
  if (typeof input.ResourceARN === 'string') return [{ action, resource: input.ResourceARN }];
  if (['DeleteAlarms', 'EnableAlarmActions', 'DisableAlarmActions'].includes(operation))
    return (input.AlarmNames as readonly string[]).map((name) => ({ action, resource: alarms.arnOf(name) }));
  if (typeof input.AlarmName === 'string') return [{ action, resource: alarms.arnOf(input.AlarmName) }];
  if (typeof input.DashboardName === 'string')
    return [{ action, resource: `arn:aws:cloudwatch::${alarms.accountId}:dashboard/${input.DashboardName}` }];
  // Reads of metrics have no resource level (service authorization reference).
  return [{ action, resource: '*' }];
}
