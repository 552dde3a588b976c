/** What is contained can be seen and read about: its group, the log of AWS IoT about it, one query. */
import { CfnResourceSpecificLogging, CfnThingGroup } from 'aws-cdk-lib/aws-iot';
import { CfnQueryDefinition } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** Carries no policy: it is there to be seen, counted and logged. */
export function quarantineGroup(scope: Construct, thingGroupName: string, isLogged: boolean): void {
  const group = new CfnThingGroup(scope, 'Group', {
    thingGroupName,
    thingGroupProperties: { thingGroupDescription: 'Fleetwarden: things that are contained' },
  });
  if (!isLogged) return;
  const logging = new CfnResourceSpecificLogging(scope, 'Logging', {
    targetType: 'THING_GROUP',
    targetName: thingGroupName,
    logLevel: 'DEBUG',
  });
  logging.node.addDependency(group);
}

/** One thing's story, over the functions and, where it is switched on, AWS IoT itself: put the name of the thing in the place of THING. */
export function saveStory(scope: Construct, prefix: string, isLogged: boolean): void {
  const functions = ['quarantine-intake', 'quarantine-contain', 'quarantine-release', 'quarantine-watch'];
  new CfnQueryDefinition(scope, 'Story', {
    name: `${prefix}/story of one thing`,
    logGroupNames: [...functions.map((name) => `/aws/lambda/${prefix}-${name}`), ...(isLogged ? ['AWSIotLogsV2'] : [])],
    queryString: [
      'fields @timestamp, message, eventType, status, reason, details, topicName, sourceIp, containmentId, @log',
      "| filter thingName = 'THING' or clientId = 'THING'",
      '| sort @timestamp asc',
      '| limit 1000',
    ].join('\n'),
  });
}
