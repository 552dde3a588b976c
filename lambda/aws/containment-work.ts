/** The workflow engine and the intake queue, as quarantine sees them. */
import { DescribeExecutionCommand, SFNClient, SendTaskSuccessCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { ContainmentWorkflows, IntakeQueue } from '../ports/containment-work.js';
import { errorName } from './retry.js';

const workflowClient = (): SFNClient =>
  new SFNClient({ maxAttempts: 5, retryMode: 'standard', requestHandler: { connectionTimeout: 3_000, requestTimeout: 15_000 } });

/** Wakes executions: the token says which, so no state machine need be known. */
export function workflowWaker(client = workflowClient()): Pick<ContainmentWorkflows, 'wake'> {
  return {
    async wake(taskToken) {
      try {
        await client.send(new SendTaskSuccessCommand({ taskToken, output: '{}' }));
        return true;
      } catch (error) {
        // It waits no longer with this token, and will look at the ledger by itself.
        if (['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken'].includes(errorName(error))) return false;
        throw error;
      }
    },
  };
}

export function stepFunctions(stateMachineArn: string, client = workflowClient()): ContainmentWorkflows {
  return {
    ...workflowWaker(client),
    async isRunning(name) {
      const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
      try {
        const { status } = await client.send(new DescribeExecutionCommand({ executionArn, includedData: 'METADATA_ONLY' }));
        return status === 'RUNNING' || status === 'PENDING_REDRIVE';
      } catch (error) {
        // Never begun, or ended more than ninety days ago.
        if (errorName(error) === 'ExecutionDoesNotExist') return false;
        throw error;
      }
    },

    async start(input, name = input.containmentId) {
      try {
        await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
      } catch (error) {
        // Begun before: an execution that runs with this very input is success already, one that has ended says so (API_StartExecution).
        if (errorName(error) !== 'ExecutionAlreadyExists') throw error;
      }
    },
  };
}

export const sqsIntakeQueue = (client: SQSClient, queueUrl: string): IntakeQueue => ({
  async send(message, DelaySeconds = 0) {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message), DelaySeconds }));
  },
});
