/** What the functions of quarantine may do beside what others may, each with its reason. */
import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { shutOffCommandName } from '../../domain/protocol/command.js';
import { quarantineNames } from '../../domain/protocol/containment-workflow.js';
import { namedRepairPatterns } from '../../domain/protocol/repair-policy.js';
import { campaignResourceName } from '../../domain/protocol/rotation-work.js';
import type { Permission } from '../shared/own-function.js';
import { iotArn } from '../shared/permissions.js';

const things = (scope: Construct): string => iotArn(scope, 'thing', '*');
const certificates = (scope: Construct): string => iotArn(scope, 'cert', '*');
const groups = (scope: Construct): string => iotArn(scope, 'thinggroup', '*');
const deviceJobs = (scope: Construct, prefix: string): string[] =>
  (['shut-off', 'resume'] as const).map((operation) => iotArn(scope, 'job', quarantineNames(prefix).job(operation, '*')));

export const shutOffCommandArn = (scope: Construct, prefix: string): string => iotArn(scope, 'command', shutOffCommandName(prefix));

export const stateMachineName = (prefix: string): string => `${prefix}-quarantine`;

/** By name: the machine names the functions, so their permissions cannot name the machine as a resource. */
export const stateMachineArn = (scope: Construct, prefix: string): string =>
  Stack.of(scope).formatArn({
    service: 'states',
    resource: 'stateMachine',
    resourceName: stateMachineName(prefix),
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });

export const readThings = (scope: Construct): Permission => ({
  actions: ['iot:DescribeThing', 'iot:ListThingPrincipals', 'iot:ListThingPrincipalsV2', 'iot:ListThingGroupsForThing'],
  resources: [things(scope)],
  wildcard: 'Any thing of the fleet may be the one that misbehaves: what it is, has and is in is read before anything is done. Read only.',
});

export const readGroups = (scope: Construct): Permission => ({
  actions: ['iot:DescribeThingGroup', 'iot:ListThingsInThingGroup'],
  resources: [groups(scope)],
  wildcard: 'A thing may be in any group: whether the group carries policies, and how large it is, is read before it is left. Read only.',
});

export const readFindings = (): Permission => ({
  actions: ['iot:DescribeAuditFinding'],
  resources: ['*'],
  wildcard:
    'iot:DescribeAuditFinding has no resource type: AWS accepts nothing but * for it (service authorization reference of AWS IoT). Read only.',
});

/** Only where Detect is on. */
export const readDetect = (scope: Construct): Permission => ({
  actions: ['iot:ListActiveViolations', 'iot:ListViolationEvents'],
  resources: [things(scope), iotArn(scope, 'securityprofile', '*')],
  wildcard: 'A violation is read again at its source before anything is done, and any thing may have one. Read only.',
});

export const dropAndDeactivate =
  'The ids of the certificates of a thing that misbehaves are hashes that nobody knows at deployment. Bounded by the brake, the never-list, the pace and the emergency stop; INACTIVE can be undone.';

export const swapPolicies = (scope: Construct): Permission => ({
  actions: ['iot:AttachPolicy', 'iot:DetachPolicy'],
  resources: [certificates(scope)],
  wildcard:
    'The certificates of a contained thing are known when it is contained, not at deployment. They get the repair policy alone, or what the snapshot says that they had.',
});

/** Of single containments: never the one of the fleet, nor those of another installation. */
const repairPolicies = (scope: Construct, prefix: string): string[] =>
  namedRepairPatterns(prefix).map((pattern) => iotArn(scope, 'policy', pattern));

export const makeRepairPolicies = (scope: Construct, prefix: string): Permission => ({
  actions: ['iot:CreatePolicy', 'iot:GetPolicy'],
  resources: repairPolicies(scope, prefix),
  wildcard:
    'Named after containments, which nobody knows at deployment: a device whose client id is not its name is let in for repair by a policy of its own. Only names of this installation.',
});

export const deleteRepairPolicies = (scope: Construct, prefix: string): Permission => ({
  actions: ['iot:DeletePolicy'],
  resources: repairPolicies(scope, prefix),
  wildcard:
    'Named after containments, which nobody knows at deployment. Only names of this installation, and AWS IoT deletes no policy that anybody has.',
});

export const joinQuarantine = (scope: Construct, groupName: string): Permission => ({
  actions: ['iot:AddThingToThingGroup'],
  resources: [things(scope), iotArn(scope, 'thinggroup', groupName)],
  wildcard: 'Any thing may be contained. Only into the quarantine group, which carries no policy: membership gives no right.',
});

export const joinGroups = (scope: Construct): Permission => ({
  actions: ['iot:AddThingToThingGroup'],
  resources: [things(scope), groups(scope)],
  wildcard: 'A thing that is released goes back into the groups that its snapshot names, whichever these are, and into no others.',
});

export const leaveGroups = (scope: Construct): Permission => ({
  actions: ['iot:RemoveThingFromThingGroup'],
  resources: [things(scope), groups(scope)],
  wildcard: 'A contained thing leaves the groups that carry policies, whichever these are; the snapshot says where it is to come back to.',
});

export const deviceJob = (scope: Construct, prefix: string): Permission => ({
  actions: ['iot:CreateJob', 'iot:CancelJob'],
  resources: [...deviceJobs(scope, prefix), things(scope)],
  wildcard:
    'Any thing may be contained, and is asked to shut off or to resume by a job of its own. Only jobs that this installation has named.',
});

export const readAnswers = (scope: Construct, prefix: string): Permission => ({
  actions: ['iot:DescribeJobExecution'],
  resources: [...deviceJobs(scope, prefix), things(scope)],
  wildcard: 'Any thing may be contained, and answers a job of its own. Only jobs that this installation has named, and read only.',
});

/** Only where a device is told to shut off by an AWS IoT command besides. Command and thing are both named by both calls (iot-remote-command-execution-start-monitor.html). */
export const commandDevices = (scope: Construct, prefix: string): Permission => ({
  actions: ['iot:StartCommandExecution', 'iot:GetCommandExecution'],
  resources: [shutOffCommandArn(scope, prefix), things(scope)],
  wildcard: 'Any thing may be contained, and is told to shut off by a command. Only the command of this installation.',
});

/** Commands are started at an endpoint of the account's own. */
export const findEndpoint = (): Permission => ({
  actions: ['iot:DescribeEndpoint'],
  resources: ['*'],
  wildcard:
    'iot:DescribeEndpoint has no resource type: AWS accepts nothing but * for it (service authorization reference of AWS IoT). Read only.',
});

export const cancelRotations = (scope: Construct, prefix: string): Permission => ({
  actions: ['iot:CancelJobExecution'],
  resources: [iotArn(scope, 'job', campaignResourceName(prefix, '*')), things(scope)],
  wildcard: 'Any thing in a rotation may be contained: a contained thing gets no certificate. Only jobs that this installation has named.',
});

export const wakeWorkflows = (scope: Construct, prefix: string): Permission => ({
  actions: ['states:SendTaskSuccess'],
  resources: [stateMachineArn(scope, prefix)],
});

export const startWorkflows = (scope: Construct, prefix: string): Permission => ({
  actions: ['states:StartExecution'],
  resources: [stateMachineArn(scope, prefix)],
});

export const seeWorkflows = (scope: Construct, prefix: string): Permission => ({
  actions: ['states:DescribeExecution'],
  resources: [`${stateMachineArn(scope, prefix).replace(':stateMachine:', ':execution:')}:*`],
  wildcard: 'Executions are named after containments, which nobody knows at deployment. Only those of this state machine, and read only.',
});

export const heldLists = (objects: string): Permission => ({
  actions: ['s3:GetObject', 's3:PutObject'],
  resources: [objects],
  wildcard: 'A list over the brake is named by its hash, which nobody knows at deployment. Only below the prefix of held lists.',
});
