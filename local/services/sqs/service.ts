/** Amazon SQS on the desk: its operations, what IAM must allow for each, and deliveries from other services. */
import type { Cloud, Delivery } from '../../cloud.js';
import type { AccessRequest } from '../../iam/principal.js';
import { parsePolicy } from './attributes.js';
import type { MessageAttributes } from './message.js';
import { sendTo, sqsOperations } from './operations.js';
import { Queues, nameInUrl } from './queues.js';

/** Batches need the permission of the single operation (SQS developer guide, API permissions). */
const ACTION: Readonly<Record<string, string>> = {
  SendMessageBatch: 'SendMessage',
  DeleteMessageBatch: 'DeleteMessage',
  ChangeMessageVisibilityBatch: 'ChangeMessageVisibility',
};

/** Starts SQS. The answer stops it: long polls are answered empty. */
export function startSqs(cloud: Cloud): () => void {
  const queues = new Queues(cloud);
  cloud.addService({
    name: 'sqs',
    signingNames: ['sqs'],
    operations: sqsOperations(queues, cloud.world),
    access: (operation, input) => access(queues, operation, input),
    resourcePolicies: (arn) => {
      const policy = parsePolicy(queues.find(arn.split(':')[5] ?? '')?.attribute('Policy'));
      return policy ? [policy] : [];
    },
  });
  cloud.addTarget(
    'sqs',
    async (delivery) => deliver(queues, delivery),
    (delivery) => ({ action: 'sqs:SendMessage', resource: delivery.targetArn }),
  );
  cloud.parts.queueArrivals = (arn, listener) => queues.byArn(arn).onVisible(listener);
  const stopMetrics = cloud.world.clock.every(60_000, () => queues.publishAll());
  return () => {
    stopMetrics();
    queues.close();
  };
}

function access(queues: Queues, operation: string, input: Readonly<Record<string, unknown>>): readonly AccessRequest[] {
  const text = (name: string): string => (typeof input[name] === 'string' ? input[name] : '');
  if (operation === 'ListQueues') return [{ action: 'sqs:ListQueues', resource: '*' }];
  if (operation === 'StartMessageMoveTask') return moveAccess(queues, text('SourceArn'), input.DestinationArn);
  if (operation === 'ListMessageMoveTasks') return [{ action: 'sqs:ListMessageMoveTasks', resource: text('SourceArn') }];
  if (operation === 'CancelMessageMoveTask') {
    const sourceArn = /"sourceArn":"([^"]+)"/.exec(Buffer.from(text('TaskHandle'), 'base64').toString())?.[1];
    return [{ action: 'sqs:CancelMessageMoveTask', resource: sourceArn ?? '*' }];
  }
  const name = input.QueueName === undefined ? nameInUrl(text('QueueUrl')) : text('QueueName');
  return [{ action: `sqs:${ACTION[operation] ?? operation}`, resource: queues.arnOf(name) }];
}

/** Redrive reads and deletes at the source and sends to where the messages go (SQS developer guide, "Configure dead-letter queue redrive"). */
function moveAccess(queues: Queues, sourceArn: string, destinationArn: unknown): readonly AccessRequest[] {
  const source = queues.find(sourceArn.split(':')[5] ?? '');
  const destinations =
    typeof destinationArn === 'string' ? [destinationArn] : source ? queues.sourcesOf(source).map((queue) => queue.arn) : [];
  return [
    ...['StartMessageMoveTask', 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((action) => ({
      action: `sqs:${action}`,
      resource: sourceArn,
    })),
    ...destinations.map((resource) => ({ action: 'sqs:SendMessage', resource })),
  ];
}

/** A delivery becomes a message: text as it is, anything else as JSON. */
function deliver(queues: Queues, delivery: Delivery): void {
  const { attributes = {}, groupId, deduplicationId } = delivery.message ?? {};
  const messageAttributes: MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
  );
  sendTo(
    queues.byArn(delivery.targetArn),
    {
      MessageBody: typeof delivery.payload === 'string' ? delivery.payload : JSON.stringify(delivery.payload),
      MessageAttributes: messageAttributes,
      ...(groupId === undefined ? {} : { MessageGroupId: groupId }),
      ...(deduplicationId === undefined ? {} : { MessageDeduplicationId: deduplicationId }),
    },
    delivery.service,
  );
}
