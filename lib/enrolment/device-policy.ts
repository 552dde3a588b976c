import { ArnFormat, Stack } from 'aws-cdk-lib';
import { CfnPolicy } from 'aws-cdk-lib/aws-iot';
import { Construct } from 'constructs';
import {
  DEVICE_TOPICS,
  type DeviceTopic,
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
 * attached to that thing; publish its telemetry; subscribe to and receive its commands; rotate its certificate, which takes its own topics of
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
    const own = (resource: string, topics: readonly DeviceTopic[]): string[] => [
      ...topics.map((topic) => arn(resource, deviceTopic(topicPrefix, THING_NAME_VARIABLE, topic))),
      arn(resource, jobsTopic(THING_NAME_VARIABLE, '*')),
    ];
    const publish = [...DEVICE_TOPICS.publish, ...ROTATION_TOPICS.publish];
    const receive = [...DEVICE_TOPICS.receive, ...ROTATION_TOPICS.receive];
    new CfnPolicy(this, 'Policy', {
      policyName: this.policyName,
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: ['iot:Connect'],
            Resource: [arn('client', THING_NAME_VARIABLE)],
            Condition: { Bool: { 'iot:Connection.Thing.IsAttached': ['true'] } },
          },
          { Effect: 'Allow', Action: ['iot:Publish'], Resource: own('topic', publish) },
          { Effect: 'Allow', Action: ['iot:Subscribe'], Resource: own('topicfilter', receive) },
          { Effect: 'Allow', Action: ['iot:Receive'], Resource: own('topic', receive) },
        ],
      },
    });
  }
}
