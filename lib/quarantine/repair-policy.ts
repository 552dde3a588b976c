import { ArnFormat, Stack } from 'aws-cdk-lib';
import { CfnPolicy } from 'aws-cdk-lib/aws-iot';
import { Construct } from 'constructs';
import { commandTopic } from '../../domain/protocol/command.js';
import { ROTATION_TOPICS, THING_NAME_VARIABLE, type DeviceTopic, deviceTopic, jobsTopic } from '../../domain/protocol/topics.js';

export interface RepairPolicyProps {
  readonly policyName: string;
  readonly topicPrefix: string;
  /** Shut-off also comes by AWS IoT commands. */
  readonly commands: boolean;
}

/**
 * All that a contained device may do: connect as its own thing, receive repair commands by AWS IoT Jobs (shut-off and resume among them) and, where that is on,
 * the shut-off by AWS IoT commands, and get a new key. An allow-list by policy variables, one for the whole fleet: AWS IoT policies cannot say "deny all but" (FACTS B7). No telemetry, no commands, no
 * shadow.
 */
export class RepairPolicy extends Construct {
  readonly policyName: string;

  constructor(scope: Construct, id: string, { policyName, topicPrefix, commands }: RepairPolicyProps) {
    super(scope, id);
    this.policyName = policyName;
    const stack = Stack.of(this);
    const arn = (resource: string, resourceName: string): string =>
      stack.formatArn({ service: 'iot', resource, resourceName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
    const own = (resource: string, topics: readonly DeviceTopic[]): string[] => [
      ...topics.map((topic) => arn(resource, deviceTopic(topicPrefix, THING_NAME_VARIABLE, topic))),
      arn(resource, jobsTopic(THING_NAME_VARIABLE, '*')),
      ...(commands ? [arn(resource, commandTopic(THING_NAME_VARIABLE, '*'))] : []),
    ];
    new CfnPolicy(this, 'Policy', {
      policyName,
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: ['iot:Connect'],
            Resource: [arn('client', THING_NAME_VARIABLE)],
            Condition: { Bool: { 'iot:Connection.Thing.IsAttached': ['true'] } },
          },
          { Effect: 'Allow', Action: ['iot:Publish'], Resource: own('topic', ROTATION_TOPICS.publish) },
          { Effect: 'Allow', Action: ['iot:Subscribe'], Resource: own('topicfilter', ROTATION_TOPICS.receive) },
          { Effect: 'Allow', Action: ['iot:Receive'], Resource: own('topic', ROTATION_TOPICS.receive) },
        ],
      },
    });
  }
}
