/** A cloud with Step Functions beside the services that move messages, and the ways of the tests to make machines and watch executions. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { PolicyDocument } from '../../local/iam/principal.js';
import { startStates } from '../../local/services/states/service.js';
import { type MessagingCloud, messagingCloud, until } from './cloud-with-messaging.js';

export type States = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface StatesDesk extends MessagingCloud {
  readonly sfn: SFNClient;
  /** A role that Step Functions may assume, with these statements (or all actions on everything). */
  role(name: string, statements?: PolicyDocument['Statement'], service?: string): string;
  /** A function of a handler's body; answers its ARN. */
  lambda(body: string): string;
  /** A state machine of these states, the first of which begins. */
  machine(
    states: States,
    more?: { readonly roleArn?: string; readonly top?: Readonly<Record<string, unknown>>; readonly name?: string },
  ): Promise<string>;
  begin(stateMachineArn: string, input?: unknown, name?: string): Promise<string>;
  /** Makes a machine, runs it to its end, answers how it ended. */
  run(states: States, input?: unknown): Promise<Ended>;
  ended(executionArn: string): Promise<Ended>;
  history(executionArn: string): Promise<HistoryEvent[]>;
}

export interface Ended extends DescribeExecutionCommandOutput {
  readonly value: unknown;
  readonly types: readonly string[];
}

export async function statesDesk(startAt?: Date): Promise<StatesDesk> {
  const messaging = await messagingCloud(startAt);
  const stopStates = startStates(messaging.cloud);
  const sfn = new SFNClient(messaging.client);
  let number = 0;
  const role: StatesDesk['role'] = (
    name,
    statements = [{ Effect: 'Allow', Action: '*', Resource: '*' }],
    service = 'states.amazonaws.com',
  ) => {
    const trust = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
    } as const;
    return messaging.cloud.iam.createRole(name, trust, [{ Version: '2012-10-17', Statement: statements }], []).arn;
  };
  const anything = role('anything');
  const functionRole = role('function', undefined, 'lambda.amazonaws.com');
  const history: StatesDesk['history'] = async (executionArn) =>
    (await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }))).events!;
  const machine: StatesDesk['machine'] = async (states, more = {}) => {
    const definition = JSON.stringify({ StartAt: Object.keys(states)[0], States: states, ...more.top });
    const { stateMachineArn } = await sfn.send(
      new CreateStateMachineCommand({ name: more.name ?? `machine-${++number}`, definition, roleArn: more.roleArn ?? anything }),
    );
    return stateMachineArn!;
  };
  const begin: StatesDesk['begin'] = async (stateMachineArn, input = {}, name) => {
    const { executionArn } = await sfn.send(
      new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input), ...(name === undefined ? {} : { name }) }),
    );
    return executionArn!;
  };
  const ended: StatesDesk['ended'] = async (executionArn) => {
    const describe = () => sfn.send(new DescribeExecutionCommand({ executionArn }));
    await until('the end of the execution', async () => (await describe()).status !== 'RUNNING');
    const last = await describe();
    const types = (await history(executionArn)).map(({ type }) => type!);
    return { ...last, types, value: last.output === undefined ? undefined : (JSON.parse(last.output) as unknown) };
  };
  return {
    ...messaging,
    sfn,
    role,
    machine,
    begin,
    ended,
    history,
    lambda: (body) => {
      const directory = mkdtempSync(path.join(tmpdir(), 'states-test-'));
      writeFileSync(path.join(directory, 'index.mjs'), `export const handler = async (event) => { ${body} };`);
      const definition = { handler: 'index.handler', runtime: 'nodejs24.x', directory, codeSha256: 'x', timeoutSeconds: 5 };
      return messaging.cloud.parts.createFunction!({ functionName: `function-${++number}`, roleArn: functionRole, ...definition });
    },
    run: async (states, input) => ended(await begin(await machine(states), input)),
    stop: async () => {
      sfn.destroy();
      stopStates();
      await messaging.stop();
    },
  };
}
