/** The API of Step Functions: state machines and tags. Executions: execution-operations.ts. */
import { AwsError, type Operation } from '../../models/service.js';
import { inPages } from '../pages.js';
import type { Executions } from './executions.js';
import type { StateMachine } from './state-machine.js';
import type { MachineInput, MachineUpdate, StateMachines } from './state-machines.js';
import { diagnose } from './validation.js';

interface Tag {
  readonly key?: string;
  readonly value?: string;
}

/** TooManyTags (TagResource API reference). */
const MOST_TAGS = 50;
const PAGE = 100;
const LARGEST_PAGE = 1000;

export function pageSize(maxResults: number | undefined): number {
  if (maxResults === undefined || maxResults === 0) return PAGE;
  if (maxResults < 0 || maxResults > LARGEST_PAGE)
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value '${maxResults}' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to ${LARGEST_PAGE}`,
    );
  return maxResults;
}

export function machineOperations(machines: StateMachines, executions: Executions): Readonly<Record<string, Operation>> {
  return {
    CreateStateMachine: async (input: MachineInput) => {
      const { arn, createdAt } = await machines.create(input);
      return { stateMachineArn: arn, creationDate: createdAt };
    },
    UpdateStateMachine: async (input: MachineUpdate) => {
      const { revision } = await machines.update(input);
      return { updateDate: revision.updatedAt, revisionId: revision.revisionId };
    },
    DescribeStateMachine: ({ stateMachineArn }: { stateMachineArn: string }) => {
      const machine = machines.get(stateMachineArn);
      return {
        stateMachineArn: machine.arn,
        name: machine.name,
        status: machine.deleting ? 'DELETING' : 'ACTIVE',
        type: 'STANDARD',
        creationDate: machine.createdAt,
        ...describeRevision(machine.revision),
      };
    },
    DeleteStateMachine: ({ stateMachineArn }: { stateMachineArn: string }) => {
      executions.delete(stateMachineArn);
      return {};
    },
    ListStateMachines: (input: { maxResults?: number; nextToken?: string }) => {
      const { page, nextToken } = inPages(machines.all(), pageSize(input.maxResults), input.nextToken, 'InvalidToken');
      return { stateMachines: page.map(listed), ...(nextToken === undefined ? {} : { nextToken }) };
    },
    ValidateStateMachineDefinition: (input: { definition: string; type?: string; severity?: string; maxResults?: number }) => {
      const found = diagnose(input.definition);
      const shown = found.slice(0, pageSize(input.maxResults));
      return {
        result: found.length === 0 ? 'OK' : 'FAIL',
        diagnostics: shown.map((diagnostic) => ({ severity: 'ERROR', ...diagnostic })),
        truncated: shown.length < found.length,
      };
    },
    ListTagsForResource: ({ resourceArn }: { resourceArn: string }) => ({
      tags: [...tagsOf(machines, resourceArn)].map(([key, value]) => ({ key, value })),
    }),
    TagResource: ({ resourceArn, tags }: { resourceArn: string; tags: readonly Tag[] }) => {
      const known = tagsOf(machines, resourceArn);
      if (new Set([...known.keys(), ...tags.map(({ key }) => key)]).size > MOST_TAGS)
        throw new AwsError('TooManyTags', `You've exceeded the number of tags allowed for a resource: ${MOST_TAGS}`, 400, {
          resourceName: resourceArn,
        });
      for (const { key = '', value = '' } of tags) known.set(key, value);
      return {};
    },
    UntagResource: ({ resourceArn, tagKeys }: { resourceArn: string; tagKeys: readonly string[] }) => {
      for (const key of tagKeys) tagsOf(machines, resourceArn).delete(key);
      return {};
    },
    DescribeStateMachineForExecution: ({ executionArn }: { executionArn: string }) => {
      const { machine, revision } = executions.get(executionArn);
      return { stateMachineArn: machine.arn, name: machine.name, updateDate: revision.updatedAt, ...describeRevision(revision) };
    },
  };
}

function describeRevision({ definitionText, roleArn, logging, tracing, revisionId }: StateMachine['revision']): Record<string, unknown> {
  return {
    definition: definitionText,
    roleArn,
    loggingConfiguration: { level: 'OFF', includeExecutionData: false, ...logging },
    tracingConfiguration: { enabled: tracing },
    ...(revisionId === undefined ? {} : { revisionId }),
  };
}

const listed = ({ arn, name, createdAt }: StateMachine): Record<string, unknown> => ({
  stateMachineArn: arn,
  name,
  type: 'STANDARD',
  creationDate: createdAt,
});

function tagsOf(machines: StateMachines, arn: string): Map<string, string> {
  const machine = machines.all().find((known) => known.arn === arn);
  if (!machine) throw new AwsError('ResourceNotFound', `Resource not found: '${arn}'`, 400, { resourceName: arn });
  return machine.tags;
}
