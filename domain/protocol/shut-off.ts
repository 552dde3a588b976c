/**
 * Shut off and resume: jobs that a contained device may still receive (the repair policy leaves it AWS IoT Jobs and its rotation, and nothing else).
 *
 *     cloud ── job {operation: 'shut-off'} ──► device   stops actuation and telemetry, remembers it across a power cut
 *     cloud ◄── SUCCEEDED {stopped: 'actuation,telemetry'} ── device
 *     …
 *     cloud ── job {operation: 'resume'} ──► device     after release: goes on as before
 *
 * No answer within the time-out: the device is deactivated. The document holds nothing that a device wrote. A connected device can be told to shut off by an
 * AWS IoT command besides (command.ts).
 */
import { z } from 'zod';

export const SHUT_OFF_VERSION = 1;
export const DEVICE_OPERATIONS = ['shut-off', 'resume'] as const;
export type DeviceOperation = (typeof DEVICE_OPERATIONS)[number];

/** The job document. A device ignores jobs of operations that it does not know (it rejects them). */
export const ShutOffJob = z.object({
  operation: z.enum(DEVICE_OPERATIONS),
  version: z.literal(SHUT_OFF_VERSION),
  containmentId: z.string().regex(/^[a-z0-9-]{1,64}$/),
  /** A word, not text of a device. */
  reason: z.string().max(64),
});
export type ShutOffJob = z.infer<typeof ShutOffJob>;

/** `statusDetails.reason` of an execution that failed: the device could not do it, or not for good. The cloud deactivates a device that cannot shut off. */
export const SHUT_OFF_FAILURES = {
  'unsupported-document': 'the job document names this operation, but in a version or form that the device does not know',
  storage: 'what was asked for does not last: the device cannot write to its storage',
  actuation: 'what the device moves could not be stopped, or does not go on',
  'other-containment': 'the device is shut off by another containment than the one that the job or command names',
  'containment-over': 'a command that comes after the `resume` of the same containment: only ever said of a command',
} as const;
export type ShutOffFailure = keyof typeof SHUT_OFF_FAILURES;

/** statusDetails of the execution that succeeded: what the device has stopped, or what goes on again, by commas. */
export const SHUT_OFF_DETAIL = { 'shut-off': 'stopped', resume: 'resumed' } as const satisfies Record<DeviceOperation, string>;
