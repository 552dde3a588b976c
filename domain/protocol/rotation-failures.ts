/**
 * Why a device ends the job of a rotation as FAILED (or REJECTED) by itself: `statusDetails.reason` of its last update. A final refusal by the cloud is
 * passed on in its own word of ROTATION_REFUSALS.
 */
import { ROTATION_REFUSALS, type RotationRefusal } from './rotation.js';

export const DEVICE_FAILURES = {
  'unsupported-document': 'the job document names this operation, but in a version or form that the device does not know',
  storage: 'the device cannot write to its storage',
  'no-answer': 'no answer to the certificate request within the device’s tries',
  'wrong-certificate': 'the certificate that came is not for the key that the device has made, or is a CA’s',
  'cannot-connect': 'the new certificate was refused at every trial connection, and the old one was let in afterwards',
  'job-over': 'the job was cancelled or timed out meanwhile: never reported, because a job that is over takes no update',
} as const;
export type DeviceFailure = keyof typeof DEVICE_FAILURES | RotationRefusal;

export const isRotationRefusal = (word: string): word is RotationRefusal => Object.hasOwn(ROTATION_REFUSALS, word);
