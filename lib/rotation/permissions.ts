/** What the functions of rotation may do beside what others may, each with its reason. */
import type { Construct } from 'constructs';
import { campaignResourceName } from '../../domain/protocol/rotation-work.js';
import { deviceTopic } from '../../domain/protocol/topics.js';
import type { Permission } from '../shared/guarded-function.js';
import { iotArn } from '../shared/permissions.js';

const jobs = (scope: Construct, prefix: string): string => iotArn(scope, 'job', campaignResourceName(prefix, '*'));
const groups = (scope: Construct, prefix: string): string => iotArn(scope, 'thinggroup', campaignResourceName(prefix, '*'));
const things = (scope: Construct): string => iotArn(scope, 'thing', '*');
const certificates = (scope: Construct): string => iotArn(scope, 'cert', '*');

export const readJobs = (scope: Construct, prefix: string): Permission => ({
  actions: ['iot:DescribeJob'],
  resources: [jobs(scope, prefix)],
  wildcard: 'Each campaign has a job of its own, named when it is launched. Only jobs that this installation has named, and read only.',
});

export const readExecutions = (scope: Construct, prefix: string): Permission => ({
  actions: ['iot:DescribeJobExecution'],
  resources: [jobs(scope, prefix), things(scope)],
  wildcard:
    'Any thing may be in a campaign, and each campaign has a job of its own. Only jobs that this installation has named, and read only.',
});

export const launchCampaigns = (scope: Construct, prefix: string): Permission => ({
  actions: ['iot:CreateJob', 'iot:CancelJob', 'iot:GetJobDocument'],
  resources: [jobs(scope, prefix), groups(scope, prefix)],
  wildcard: 'Each campaign has a thing group and a job of its own, named when it is launched. Only those that this installation has named.',
});

export const makeGroups = (scope: Construct, prefix: string): Permission => ({
  actions: ['iot:CreateThingGroup', 'iot:DescribeThingGroup'],
  resources: [groups(scope, prefix)],
  wildcard: 'Each campaign has a thing group of its own, named when it is launched. The groups carry no policy: membership gives no right.',
});

export const joinGroups = (scope: Construct, prefix: string): Permission => ({
  actions: ['iot:AddThingToThingGroup'],
  resources: [things(scope), groups(scope, prefix)],
  wildcard:
    'Any thing whose certificate ends may be in a campaign. Only into groups that this installation has named, which carry no policy.',
});

export const leaveGroups = (scope: Construct, prefix: string): Permission => ({
  actions: ['iot:RemoveThingFromThingGroup'],
  resources: [things(scope), groups(scope, prefix)],
  wildcard:
    'Any thing whose certificate ends may be in a campaign. Only out of groups that this installation has named, which carry no policy.',
});

export const tidyCampaigns = (scope: Construct, prefix: string): Permission => ({
  actions: ['iot:DeleteJob', 'iot:DeleteThingGroup'],
  resources: [jobs(scope, prefix), groups(scope, prefix)],
  wildcard:
    'Each campaign has a thing group and a job of its own, which go long after its end. Only those that this installation has named.',
});

export const cancelExecutions = (scope: Construct, prefix: string): Permission => ({
  actions: ['iot:CancelJobExecution'],
  resources: [jobs(scope, prefix), things(scope)],
  wildcard: 'Any thing may be in a campaign. Only jobs that this installation has named: those of other people are out of reach.',
});

export const listPolicies = (): Permission => ({
  actions: ['iot:ListAttachedPolicies'],
  resources: ['*'],
  wildcard:
    'iot:ListAttachedPolicies has no resource type: AWS accepts nothing but * for it (service authorization reference of AWS IoT). Read only.',
});

export const listCertificatesOfThings = (scope: Construct): Permission => ({
  actions: ['iot:ListThingPrincipals', 'iot:ListThingPrincipalsV2'],
  resources: [things(scope)],
  wildcard: 'Any thing whose certificate is due may ask for a new one; its other certificates are counted first. Read only.',
});

export const registerCertificates = (): Permission => ({
  actions: ['iot:RegisterCertificate'],
  resources: ['*'],
  wildcard:
    'iot:RegisterCertificate has no resource type: AWS accepts nothing but * for it. AWS IoT takes only certificates of CAs that are registered with it.',
});

export const enrolCertificates = (scope: Construct): Permission => ({
  actions: ['iot:AttachPolicy', 'iot:AttachThingPrincipal'],
  resources: [certificates(scope)],
  wildcard:
    'The id of a new certificate is a hash that nobody knows at deployment. It gets the policies and the thing of the one that it replaces.',
});

export const changeRotatedCertificates =
  'The ids of certificates are hashes that nobody knows at deployment. Only in the state of a rotation that allows it, paced, and halted by the emergency stop.';

export const answerDevices = (scope: Construct, topicPrefix: string): Permission => ({
  actions: ['iot:Publish'],
  resources: [iotArn(scope, 'topic', deviceTopic(topicPrefix, '*', 'rotation/response'))],
  wildcard: 'Any device whose certificate is due may ask, and is answered under its own name. Only the topic of these answers.',
});

/** Of none: the key of a signer issues, which is allowed where the signer is made. */
export const issueCertificates = (certificateAuthorityArns: readonly string[]): Permission => ({
  actions: ['acm-pca:IssueCertificate', 'acm-pca:GetCertificate'],
  resources: certificateAuthorityArns,
});

export const supersedeCertificates = (certificateAuthorityArns: readonly string[]): Permission => ({
  actions: ['acm-pca:RevokeCertificate', 'acm-pca:GetCertificate'],
  resources: certificateAuthorityArns,
});

/** AWS Private CA checks that whoever revokes could write the CRL (PAPI RevokeCertificate), and so must we be able to. */
export const writeCrls = (objects: readonly string[]): Permission => ({
  actions: ['s3:PutObject'],
  resources: objects,
  wildcard:
    'RevokeCertificate is refused to whoever cannot write to the CRL bucket, and CRL objects are named by the CAs. A CRL that is not signed by the pinned key is refused when it is read.',
});
