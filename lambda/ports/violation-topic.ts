import type { ViolationNotification } from '../../domain/protocol/violation.js';

/** Where violations are announced. At least once: the id of a violation and its event say whether one has been seen. */
export interface ViolationTopic {
  publish(notification: ViolationNotification): Promise<void>;
}
