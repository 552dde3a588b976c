import { z } from 'zod';
import { decimalNumber, queueUrl, resourceName, wholeNumber } from '../../../domain/fleet/environment.js';
import { common, json, pace, responses, stateMachineArn } from '../env.js';

const names = z.array(z.string());

export const IntakeEnv = z.object({
  ...common,
  ...pace,
  ACCOUNT_ID: z.string().regex(/^\d{12}$/),
  STATE_BUCKET: resourceName,
  /** Its own queue: what waits for the end of an emergency stop is sent anew. */
  INTAKE_QUEUE_URL: queueUrl,
  STATE_MACHINE_ARN: stateMachineArn,
  NEVER_CONTAIN: json(z.object({ things: names, types: names, groups: names, attributes: names })),
  BEHAVIOUR_RESPONSES: responses,
  /** EventBridge source → response. */
  CUSTOM_SOURCES: responses,
  MAX_EVENT_AGE_MINUTES: wholeNumber(1, 1440),
  BRAKE_FLOOR: wholeNumber(0, 1_000_000),
  BRAKE_PER_HOUR: wholeNumber(0, 1_000_000),
  BRAKE_FLEET_SHARE: decimalNumber(0, 1),
  BRAKE_GROUP_SHARE: decimalNumber(0, 1),
});
/** Parsed. */
export type IntakeEnv = z.output<typeof IntakeEnv>;
/** As the construct sets them: every value a string. */
export type IntakeVariables = z.input<typeof IntakeEnv>;
