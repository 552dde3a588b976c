/** Policies and their versions: https://docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html. */
import { randomUUID } from 'node:crypto';
import { AwsError, type Operation } from '../../models/service.js';
import { alreadyExists, deleteConflict, notFound } from './errors.js';
import { checkPolicyName, checkPolicyVersionId } from './names.js';
import { page } from './paging.js';
import { parsePolicyDocument } from './policy-document.js';
import type { IotPolicy, IotState, PolicyVersion } from './state.js';
import { setTags } from './tags.js';

const MAX_VERSIONS = 5;

export function policyByName(state: IotState, name: unknown): IotPolicy {
  const found = state.policies.get(checkPolicyName(name));
  if (!found) throw notFound(`Policy not found: ${String(name)}`);
  return found;
}

export const policyDelayMs = (state: IotState): number => state.options.policyDelayMs ?? 0;

function versionOf(policy: IotPolicy, id: unknown): PolicyVersion {
  const found = policy.versions.get(checkPolicyVersionId(id));
  if (!found) throw notFound(`Policy version not found: ${policy.policyName} ${String(id)}`);
  return found;
}

/** A new default version reaches connections only after the delay; a policy that has just been made has no older text to go on with. */
function makeDefault(state: IotState, policy: IotPolicy, version: PolicyVersion): void {
  policy.defaultVersionId = version.versionId;
  policy.modifiedAtMs = state.now();
  policy.effective.push({ fromMs: policy.effective.length === 0 ? 0 : state.now() + policyDelayMs(state), document: version.document });
}

function addVersion(state: IotState, policy: IotPolicy, text: string): PolicyVersion {
  const version: PolicyVersion = {
    versionId: String(policy.nextVersion),
    text,
    document: parsePolicyDocument(text),
    createdAtMs: state.now(),
  };
  policy.nextVersion += 1;
  policy.versions.set(version.versionId, version);
  return version;
}

/** Also for the time that a detachment takes to come into force: "up to five minutes" until it is ready to be deleted (API_DeletePolicy). */
const isAttached = (state: IotState, policyName: string): boolean =>
  [...state.attachments.values()].some((held) => {
    const attachment = held.get(policyName);
    return attachment !== undefined && (attachment.untilMs === undefined || attachment.untilMs > state.now());
  });

export function policyOperations(state: IotState): Record<string, Operation> {
  return {
    CreatePolicy: (input) => {
      const policyName = checkPolicyName(input.policyName);
      const arn = state.arn(`policy/${policyName}`);
      if (state.policies.has(policyName)) throw alreadyExists('Policy cannot be created - name already exists', policyName, arn);
      const now = state.now();
      const policy: IotPolicy = {
        policyName,
        arn,
        versions: new Map(),
        defaultVersionId: '1',
        nextVersion: 1,
        createdAtMs: now,
        modifiedAtMs: now,
        generationId: randomUUID(),
        effective: [],
      };
      makeDefault(state, policy, addVersion(state, policy, input.policyDocument));
      state.policies.set(policyName, policy);
      setTags(state, arn, input.tags);
      return { policyName, policyArn: arn, policyDocument: input.policyDocument, policyVersionId: '1' };
    },
    GetPolicy: (input) => {
      const policy = policyByName(state, input.policyName);
      return {
        policyName: policy.policyName,
        policyArn: policy.arn,
        policyDocument: policy.versions.get(policy.defaultVersionId)!.text,
        defaultVersionId: policy.defaultVersionId,
        creationDate: new Date(policy.createdAtMs),
        lastModifiedDate: new Date(policy.modifiedAtMs),
        generationId: policy.generationId,
      };
    },
    ListPolicies: (input) => {
      const all = [...state.policies.values()];
      const { items, token } = page(
        input.ascendingOrder ? all : all.toReversed(),
        (policy) => policy.policyName,
        input.marker,
        input.pageSize,
      );
      return {
        policies: items.map((policy) => ({ policyName: policy.policyName, policyArn: policy.arn })),
        ...(token ? { nextMarker: token } : {}),
      };
    },
    DeletePolicy: (input) => {
      const policy = policyByName(state, input.policyName);
      if (policy.versions.size > 1)
        throw deleteConflict(`Cannot delete the policy because it has one or more policy versions (name=${policy.policyName})`);
      if (isAttached(state, policy.policyName))
        throw deleteConflict(
          `The policy cannot be deleted as the policy is attached to one or more principals (name=${policy.policyName})`,
        );
      state.policies.delete(policy.policyName);
      state.tags.delete(policy.arn);
      return {};
    },
    CreatePolicyVersion: (input) => {
      const policy = policyByName(state, input.policyName);
      if (policy.versions.size >= MAX_VERSIONS) {
        throw new AwsError(
          'VersionsLimitExceededException',
          `The policy ${policy.policyName} already has the maximum number of versions (${MAX_VERSIONS})`,
          409,
        );
      }
      const version = addVersion(state, policy, input.policyDocument);
      if (input.setAsDefault) makeDefault(state, policy, version);
      return {
        policyArn: policy.arn,
        policyDocument: version.text,
        policyVersionId: version.versionId,
        isDefaultVersion: input.setAsDefault === true,
      };
    },
    GetPolicyVersion: (input) => {
      const policy = policyByName(state, input.policyName);
      const version = versionOf(policy, input.policyVersionId);
      return {
        policyArn: policy.arn,
        policyName: policy.policyName,
        policyDocument: version.text,
        policyVersionId: version.versionId,
        isDefaultVersion: version.versionId === policy.defaultVersionId,
        creationDate: new Date(version.createdAtMs),
        lastModifiedDate: new Date(version.createdAtMs),
        generationId: policy.generationId,
      };
    },
    ListPolicyVersions: (input) => {
      const policy = policyByName(state, input.policyName);
      return {
        policyVersions: [...policy.versions.values()].toReversed().map((version) => ({
          versionId: version.versionId,
          isDefaultVersion: version.versionId === policy.defaultVersionId,
          createDate: new Date(version.createdAtMs),
        })),
      };
    },
    SetDefaultPolicyVersion: (input) => {
      const policy = policyByName(state, input.policyName);
      makeDefault(state, policy, versionOf(policy, input.policyVersionId));
      return {};
    },
    DeletePolicyVersion: (input) => {
      const policy = policyByName(state, input.policyName);
      const version = versionOf(policy, input.policyVersionId);
      if (version.versionId === policy.defaultVersionId) throw deleteConflict('Cannot delete the default version of a policy');
      policy.versions.delete(version.versionId);
      return {};
    },
  };
}
