import { ArnFormat, Stack } from 'aws-cdk-lib';
import { CfnPolicy } from 'aws-cdk-lib/aws-iot';
import { Construct } from 'constructs';
import { commandTopic } from '../../domain/protocol/command.js';
import {
  DEVICE_TOPICS,
  type DeviceTopic,
  REPORT_TOPIC,
  ROTATION_TOPICS,
  THING_NAME_VARIABLE,
  defenderTopic,
  deviceTopic,
  jobsTopic,
} from '../../domain/protocol/topics.js';

export interface DevicePolicyProps {
  readonly prefix: string;
  readonly topicPrefix: string;
  /** Devices may be told to shut off by AWS IoT commands. */
  readonly commands: boolean;
  /** Devices report on themselves to Device Defender Detect as well, on its reserved topic. */
  readonly detect: boolean;
}

/**
 * What a device may do, by policy variables, so that one policy serves the whole fleet: connect as its own thing, if its certificate is
 * attached to that thing; publish its telemetry and its reports on itself; subscribe to and receive its commands; rotate its certificate, which takes its own topics of
 * rotation and of AWS IoT Jobs; and, where that is on, hear and answer AWS IoT commands, and report to Device Defender. Wildcards only below the thing's own jobs and commands: the topics there
 * carry ids.
 */
export class DevicePolicy extends Construct {
  readonly policyName: string;

  constructor(scope: Construct, id: string, { prefix, topicPrefix, commands, detect }: DevicePolicyProps) {
    super(scope, id);
    this.policyName = `${prefix}-device`;
    const stack = Stack.of(this);
    const arn = (resource: string, resourceName: string): string =>
      stack.formatArn({ service: 'iot', resource, resourceName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
    const own = (resource: string, topics: readonly DeviceTopic[]): string[] =>
      topics.map((topic) => arn(resource, deviceTopic(topicPrefix, THING_NAME_VARIABLE, topic)));
    const wild = [jobsTopic(THING_NAME_VARIABLE, '*'), ...(commands ? [commandTopic(THING_NAME_VARIABLE, '*')] : [])];
    const all = (resource: string): string[] => wild.map((topic) => arn(resource, topic));
    const reserved = detect ? [arn('topic', defenderTopic(THING_NAME_VARIABLE))] : [];
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
          { Effect: 'Allow', Action: 'iot:Publish', Resource: [...own('topic', publish), ...reserved] },
          { Effect: 'Allow', Action: 'iot:Subscribe', Resource: [...own('topicfilter', receive), ...all('topicfilter')] },
          { Effect: 'Allow', Action: 'iot:Receive', Resource: own('topic', receive) },
          // Once for both directions: a policy has 2048 characters (FACTS B6), and a topic prefix may take 64 in each of its ARNs.
          { Effect: 'Allow', Action: ['iot:Publish', 'iot:Receive'], Resource: commands ? all('topic') : all('topic')[0] },
        ],
      },
    });
  }
}
