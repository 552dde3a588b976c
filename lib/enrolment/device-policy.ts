import { ArnFormat, Stack } from 'aws-cdk-lib';
import { CfnPolicy } from 'aws-cdk-lib/aws-iot';
import { Construct } from 'constructs';
import {
  DEVICE_TOPICS,
  type DeviceTopic,
  REPORT_TOPIC,
  ROTATION_TOPICS,
  THING_NAME_VARIABLE,
  deviceTopic,
  jobsTopic,
} from '../../domain/protocol/topics.js';

export interface DevicePolicyProps {
  readonly prefix: string;
  readonly topicPrefix: string;
}

/**
 * What a device may do, by policy variables, so that one policy serves the whole fleet: connect as its own thing, if its certificate is
 * attached to that thing; publish its telemetry and its reports on itself; subscribe to and receive its commands; rotate its certificate, which takes its own topics of
 * rotation and of AWS IoT Jobs. One wildcard, below the thing's own jobs: the topics there carry job ids.
 */
export class DevicePolicy extends Construct {
  readonly policyName: string;

  constructor(scope: Construct, id: string, { prefix, topicPrefix }: DevicePolicyProps) {
    super(scope, id);
    this.policyName = `${prefix}-device`;
    const stack = Stack.of(this);
    const arn = (resource: string, resourceName: string): string =>
      stack.formatArn({ service: 'iot', resource, resourceName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
    const own = (resource: string, topics: readonly DeviceTopic[]): string[] =>
      topics.map((topic) => arn(resource, deviceTopic(topicPrefix, THING_NAME_VARIABLE, topic)));
    const jobs = jobsTopic(THING_NAME_VARIABLE, '*');
    const publish = [...DEVICE_TOPICS.publish, REPORT_TOPIC, ...ROTATION_TOPICS.publish] as const;
    const receive = [...DEVICE_TOPICS.receive, ...ROTATION_TOPICS.receive];
    new CfnPolicy(this, 'Policy', {
      policyName: this.policyName,
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 'iot:Connect',
            Resource: arn('client', THING_NAME_VARIABLE),
            Condition: { Bool: { 'iot:Connection.Thing.IsAttached': ['true'] } },
          },
          { Effect: 'Allow', Action: 'iot:Publish', Resource: own('topic', publish) },
          { Effect: 'Allow', Action: 'iot:Subscribe', Resource: [...own('topicfilter', receive), arn('topicfilter', jobs)] },
          { Effect: 'Allow', Action: 'iot:Receive', Resource: own('topic', receive) },
          // Once for both directions: a policy has 2048 characters (FACTS B6), and a topic prefix may take 64 in each of its ARNs.
          { Effect: 'Allow', Action: ['iot:Publish', 'iot:Receive'], Resource: arn('topic', jobs) },
        ],
      },
    });
  }
}
