/** What a thing and its certificates are allowed, and jobs for one device, at AWS IoT. Only ResourceNotFoundException means "does not exist". */
import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  CancelJobCommand,
  CreateJobCommand,
  DescribeCertificateCommand,
  DescribeJobExecutionCommand,
  DescribeThingCommand,
  DescribeThingGroupCommand,
  DetachPolicyCommand,
  ListAttachedPoliciesCommand,
  ListThingGroupsForThingCommand,
  ListThingPrincipalsV2Command,
  ListThingsInThingGroupCommand,
  RemoveThingFromThingGroupCommand,
  type IoTClient,
} from '@aws-sdk/client-iot';
import { certificateId, type CertificateId } from '../../domain/fleet/certificate-id.js';
import { thingName } from '../../domain/fleet/thing-name.js';
import type { DeviceJobs, Rights } from '../ports/containment-rights.js';
import { certificateArns } from './certificate-arns.js';
import { errorName } from './retry.js';

const PAGE_SIZE = 250;
/** A thing may have principals of other kinds (a Cognito identity): those are no certificates. */
const CERTIFICATE_ARN = /:cert\/([0-9a-f]{64})$/i;

async function unlessAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (errorName(error) === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

/** `arns`: shared with the registry, so that what the one was told need not be asked by the other. */
export function iotRights(iot: IoTClient, arns = certificateArns()): Rights {
  /** Asks only as long as no ARN has been seen. `undefined`: the certificate is gone; where nobody asked, the call that names the ARN says so. */
  const arnOf = async (id: CertificateId): Promise<string | undefined> => {
    const known = arns.of(id);
    if (known !== undefined) return known;
    const answer = await unlessAbsent(iot.send(new DescribeCertificateCommand({ certificateId: id })));
    arns.learn(answer?.certificateDescription?.certificateArn);
    return answer?.certificateDescription?.certificateArn;
  };

  async function policiesAt(target: string, recursive: boolean): Promise<readonly string[] | undefined> {
    const names: string[] = [];
    let marker: string | undefined;
    do {
      const page = await unlessAbsent(iot.send(new ListAttachedPoliciesCommand({ target, recursive, pageSize: PAGE_SIZE, marker })));
      if (page === undefined) return undefined;
      for (const { policyName } of page.policies ?? []) {
        if (policyName === undefined) throw new Error(`ListAttachedPolicies ${target}: got a policy without a name`);
        names.push(policyName);
      }
      marker = page.nextMarker;
    } while (marker !== undefined);
    return names;
  }

  return {
    async describeThing(thing) {
      const found = await unlessAbsent(iot.send(new DescribeThingCommand({ thingName: thing })));
      if (found === undefined) return undefined;
      const typeName = found.thingTypeName;
      return {
        thingName: thingName(found.thingName ?? ''),
        attributes: found.attributes ?? {},
        ...(typeName === undefined ? {} : { typeName }),
      };
    },

    async certificatesOf(thing) {
      const ids: CertificateId[] = [];
      let nextToken: string | undefined;
      do {
        const page = await unlessAbsent(iot.send(new ListThingPrincipalsV2Command({ thingName: thing, maxResults: PAGE_SIZE, nextToken })));
        if (page === undefined) return [];
        for (const { principal = '' } of page.thingPrincipalObjects ?? []) {
          arns.learn(principal);
          const id = CERTIFICATE_ARN.exec(principal)?.[1];
          if (id !== undefined) ids.push(certificateId(id));
        }
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      return ids;
    },

    async policiesOf(id) {
      const arn = await arnOf(id);
      return arn === undefined ? undefined : policiesAt(arn, false);
    },

    async attachPolicy(id, policyName) {
      const target = await arnOf(id);
      if (target === undefined) return 'gone';
      try {
        await iot.send(new AttachPolicyCommand({ policyName, target }));
        return 'attached';
      } catch (error) {
        if (errorName(error) === 'ResourceNotFoundException') return 'gone';
        if (errorName(error) === 'LimitExceededException') return 'full';
        throw error;
      }
    },

    async detachPolicy(id, policyName) {
      const target = await arnOf(id);
      if (target !== undefined) await unlessAbsent(iot.send(new DetachPolicyCommand({ policyName, target })));
    },

    async groupsOf(thing) {
      const names: string[] = [];
      let nextToken: string | undefined;
      do {
        const page = await unlessAbsent(
          iot.send(new ListThingGroupsForThingCommand({ thingName: thing, maxResults: PAGE_SIZE, nextToken })),
        );
        if (page === undefined) return [];
        for (const { groupName } of page.thingGroups ?? []) if (groupName !== undefined) names.push(groupName);
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      return names;
    },

    async describeGroup(thingGroupName) {
      const found = await unlessAbsent(iot.send(new DescribeThingGroupCommand({ thingGroupName })));
      if (found?.thingGroupArn === undefined) return undefined;
      // Dynamic groups cannot carry policies (FACTS B6).
      if (found.queryString !== undefined) return { isDynamic: true, policies: [] };
      return { isDynamic: false, policies: (await policiesAt(found.thingGroupArn, true)) ?? [] };
    },

    async joinGroup(thingGroupName, thing) {
      try {
        await iot.send(new AddThingToThingGroupCommand({ thingGroupName, thingName: thing }));
        return 'joined';
      } catch (error) {
        if (errorName(error) === 'ResourceNotFoundException') return 'gone';
        // Ten groups, or another group of the same tree: AWS IoT says InvalidRequestException for both.
        if (errorName(error) === 'InvalidRequestException' || errorName(error) === 'LimitExceededException') return 'refused';
        throw error;
      }
    },

    async leaveGroup(thingGroupName, thing) {
      await unlessAbsent(iot.send(new RemoveThingFromThingGroupCommand({ thingGroupName, thingName: thing })));
    },

    async countThings(thingGroupName, upTo) {
      let count = 0;
      let nextToken: string | undefined;
      do {
        const page = await unlessAbsent(iot.send(new ListThingsInThingGroupCommand({ thingGroupName, maxResults: PAGE_SIZE, nextToken })));
        if (page === undefined) return 0;
        count += page.things?.length ?? 0;
        nextToken = page.nextToken;
      } while (nextToken !== undefined && count < upTo);
      return count;
    },
  };
}

export function iotDeviceJobs(iot: IoTClient): DeviceJobs {
  return {
    async create(jobId, thing, document, inProgressTimeoutInMinutes) {
      const found = await unlessAbsent(iot.send(new DescribeThingCommand({ thingName: thing })));
      if (found?.thingArn === undefined) return 'gone';
      try {
        await iot.send(
          new CreateJobCommand({
            jobId,
            targets: [found.thingArn],
            document: JSON.stringify(document),
            description: `Fleetwarden: ${document.operation} of a contained device`,
            targetSelection: 'SNAPSHOT',
            timeoutConfig: { inProgressTimeoutInMinutes },
          }),
        );
      } catch (error) {
        if (errorName(error) !== 'ResourceAlreadyExistsException') throw error;
      }
      return 'created';
    },

    async execution(jobId, thing) {
      const found = await unlessAbsent(iot.send(new DescribeJobExecutionCommand({ jobId, thingName: thing })));
      const execution = found?.execution;
      if (execution?.status === undefined) return undefined;
      return { status: execution.status, said: execution.statusDetails?.detailsMap ?? {} };
    },

    async cancel(jobId) {
      try {
        await unlessAbsent(iot.send(new CancelJobCommand({ jobId, comment: 'no answer is waited for any more', force: true })));
      } catch (error) {
        // It has ended.
        if (errorName(error) !== 'InvalidRequestException' && errorName(error) !== 'InvalidStateTransitionException') throw error;
      }
    },
  };
}
