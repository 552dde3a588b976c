import { CfnPolicy } from 'aws-cdk-lib/aws-iot';
import { Construct } from 'constructs';
import { policyDocument, repairStatements } from '../../domain/protocol/repair-policy.js';
import { THING_NAME_VARIABLE } from '../../domain/protocol/topics.js';
import { iotArn } from '../shared/permissions.js';

export interface RepairPolicyProps {
  readonly policyName: string;
  readonly topicPrefix: string;
  /** Shut-off also comes by AWS IoT commands. */
  readonly commands: boolean;
}

/** All that a contained device may do (domain/protocol/repair-policy.ts), by policy variables: one for the whole fleet. */
export class RepairPolicy extends Construct {
  readonly policyName: string;

  constructor(scope: Construct, id: string, { policyName, topicPrefix, commands }: RepairPolicyProps) {
    super(scope, id);
    this.policyName = policyName;
    const arn = (resource: string, name: string): string => iotArn(this, resource, name);
    const onlyAttached = { Condition: { Bool: { 'iot:Connection.Thing.IsAttached': ['true'] } } };
    new CfnPolicy(this, 'Policy', {
      policyName,
      policyDocument: policyDocument(
        repairStatements({ topicPrefix, commands, arn }, THING_NAME_VARIABLE, [THING_NAME_VARIABLE], onlyAttached),
      ),
    });
  }
}
