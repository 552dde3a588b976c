/** Policies on certificates and thing groups: API_AttachPolicy and the older principal policy calls, which read the same attachments. */
import { AwsError, type Operation } from '../../models/service.js';
import { certificateById } from './certificates.js';
import { invalidRequest } from './errors.js';
import { certificateIdOfPrincipal, parseIotArn } from './names.js';
import { page } from './paging.js';
import { policyByName, policyDelayMs } from './policies.js';
import type { IotPolicy, IotState, PolicyAttachment, RegisteredCertificate, ThingGroup } from './state.js';
import { onlyStatic } from './dynamic-groups.js';
import { lineage } from './group-membership.js';
import { groupByName } from './thing-groups.js';

const MAX_POLICIES: Readonly<Record<'cert' | 'thinggroup', number>> = { cert: 10, thinggroup: 2 };

type Target =
  | { readonly kind: 'cert'; readonly certificate: RegisteredCertificate; readonly arn: string }
  | { readonly kind: 'thinggroup'; readonly group: ThingGroup; readonly arn: string };

function targetOf(state: IotState, arn: unknown): Target {
  const { resourceType, resourceId } = parseIotArn(arn);
  if (resourceType === 'cert') {
    const certificate = certificateById(state, resourceId);
    return { kind: 'cert', certificate, arn: certificate.arn };
  }
  if (resourceType === 'thinggroup') {
    const group = groupByName(state, resourceId);
    return { kind: 'thinggroup', group, arn: group.arn };
  }
  throw invalidRequest(`Invalid target: got ${resourceType}, expected a certificate or a thing group`);
}

/** Names of the policies attached now, as the API shows them: at once, whatever connections still see. */
const attachedNames = (state: IotState, arn: string): string[] =>
  [...(state.attachments.get(arn) ?? [])].filter(([, attachment]) => attachment.untilMs === undefined).map(([name]) => name);

/** When a change reaches connections: at once for a certificate that has never connected, else after AWS's delay. */
function comesIntoForce(state: IotState, target: Target): number {
  const fresh = target.kind === 'cert' && !state.seenByGateway.has(target.certificate.certificateId);
  return state.now() + (fresh ? 0 : policyDelayMs(state));
}

function attach(state: IotState, policy: IotPolicy, target: Target): void {
  const held = state.attachments.get(target.arn) ?? new Map<string, PolicyAttachment>();
  const names = attachedNames(state, target.arn);
  if (names.includes(policy.policyName)) return;
  const leaving = held.get(policy.policyName);
  if (leaving?.untilMs !== undefined && leaving.untilMs > state.now()) {
    // Its removal has not come into force: for connections it has never been away.
    delete leaving.untilMs;
    return;
  }
  if (names.length >= MAX_POLICIES[target.kind]) {
    throw new AwsError(
      'LimitExceededException',
      `The number of policies attached to ${target.arn} is at its limit of ${MAX_POLICIES[target.kind]}`,
      410,
    );
  }
  state.attachments.set(target.arn, held.set(policy.policyName, { fromMs: comesIntoForce(state, target) }));
}

function detach(state: IotState, policy: IotPolicy, target: Target): void {
  const held = state.attachments.get(target.arn);
  const attachment = held?.get(policy.policyName);
  if (!held || !attachment || attachment.untilMs !== undefined) return;
  const untilMs = comesIntoForce(state, target);
  if (untilMs <= state.now()) held.delete(policy.policyName);
  else attachment.untilMs = untilMs;
}

export function policyAttachmentOperations(state: IotState): Record<string, Operation> {
  const certificateTarget = (principal: unknown): Target => targetOf(state, state.arn(`cert/${certificateIdOfPrincipal(principal)}`));
  const references = (names: readonly string[]): Record<string, unknown>[] =>
    names.map((policyName) => ({ policyName, policyArn: state.arn(`policy/${policyName}`) }));
  const targetsOf = (policyName: string): string[] =>
    [...state.attachments].filter(([arn]) => attachedNames(state, arn).includes(policyName)).map(([arn]) => arn);
  return {
    AttachPolicy: (input) => {
      const target = targetOf(state, input.target);
      if (target.kind === 'thinggroup') onlyStatic(target.group, 'attach a policy to');
      attach(state, policyByName(state, input.policyName), target);
      return {};
    },
    DetachPolicy: (input) => {
      detach(state, policyByName(state, input.policyName), targetOf(state, input.target));
      return {};
    },
    AttachPrincipalPolicy: (input) => {
      attach(state, policyByName(state, input.policyName), certificateTarget(input.principal));
      return {};
    },
    DetachPrincipalPolicy: (input) => {
      detach(state, policyByName(state, input.policyName), certificateTarget(input.principal));
      return {};
    },
    ListAttachedPolicies: (input) => {
      const target = targetOf(state, input.target);
      const arns = target.kind === 'thinggroup' && input.recursive ? lineage(state, target.group).map((group) => group.arn) : [target.arn];
      const names = [...new Set(arns.flatMap((arn) => attachedNames(state, arn)))];
      const { items, token } = page(names, (name) => name, input.marker, input.pageSize);
      return { policies: references(items), ...(token ? { nextMarker: token } : {}) };
    },
    ListTargetsForPolicy: (input) => {
      const { items, token } = page(
        targetsOf(policyByName(state, input.policyName).policyName),
        (arn) => arn,
        input.marker,
        input.pageSize,
      );
      return { targets: items, ...(token ? { nextMarker: token } : {}) };
    },
    ListPrincipalPolicies: (input) => {
      const names = attachedNames(state, certificateTarget(input.principal).arn);
      const { items, token } = page(input.ascendingOrder ? names : names.toReversed(), (name) => name, input.marker, input.pageSize);
      return { policies: references(items), ...(token ? { nextMarker: token } : {}) };
    },
    ListPolicyPrincipals: (input) => {
      const arns = targetsOf(policyByName(state, input.policyName).policyName).filter((arn) => parseIotArn(arn).resourceType === 'cert');
      const { items, token } = page(input.ascendingOrder ? arns : arns.toReversed(), (arn) => arn, input.marker, input.pageSize);
      return { principals: items, ...(token ? { nextMarker: token } : {}) };
    },
  };
}
