import { z } from 'zod';

/**
 * One invocation by the event source mapping of a stream with tumbling windows. `Records` may be empty at the end of a window, and what is in it may be
 * anything: who may write to the stream is decided by IAM, and one record that is not ours must not hold up the shard.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
 */
export const WindowEvent = z.object({
  Records: z.array(z.object({ kinesis: z.object({ data: z.string(), sequenceNumber: z.string(), partitionKey: z.string() }) })).default([]),
  window: z
    .object({ start: z.string(), end: z.string() })
    .transform(({ start, end }) => ({ startMs: Date.parse(start), endMs: Date.parse(end) })),
  state: z.object({ v: z.number().optional(), z: z.string().optional() }).default({}),
  shardId: z.string().default(''),
  isFinalInvokeForWindow: z.boolean().default(false),
  isWindowTerminatedEarly: z.boolean().default(false),
});
export type WindowEvent = z.output<typeof WindowEvent>;
