/** What all parts of the agent share, and what it tells the program around it. */
import type { RotationResponse } from '../domain/protocol/rotation.js';
import type { Clock } from './clock.js';
import type { Inbox } from './inbox.js';
import type { JobExecution } from './jobs/job-messages.js';
import type { JobsClient } from './jobs/jobs-client.js';
import type { KeyStore } from './keys/key-store.js';
import type { RotationRecord, RotationStep } from './rotation/record.js';
import type { AgentSettings } from './settings.js';
import type { Listening } from './shut-off/commands.js';
import type { OrderEvent, Orders } from './shut-off/orders.js';
import type { ShutOff } from './shut-off/shut-off.js';
import type { Identities } from './storage/identities.js';
import type { Connection } from './transport/transport.js';

/** For logs and tests. Holds no key, no request and no certificate. */
export type AgentEvent =
  | { readonly kind: 'connected'; readonly certificate: string }
  | { readonly kind: 'refused'; readonly certificate: string; readonly detail: string }
  /** `isOwn`: the agent ended it, because another pair is wanted or because it stops. */
  | { readonly kind: 'disconnected'; readonly isOwn: boolean; readonly detail: string }
  | { readonly kind: 'published' }
  | { readonly kind: 'reported' }
  /** Speaking has ended one connection after another: for so long nothing is published but jobs and rotation. */
  | { readonly kind: 'quiet'; readonly ms: number }
  | OrderEvent
  /** A step was completed and stored; `finished` when nothing is under way any more. */
  | { readonly kind: 'rotation'; readonly jobId: string; readonly step: RotationStep | 'finished'; readonly reason?: string }
  | { readonly kind: 'warning'; readonly message: string };

export interface Device {
  readonly thingName: string;
  readonly clientId: string;
  readonly topicPrefix: string;
  readonly identities: Identities;
  readonly keys: KeyStore;
  readonly record: RotationRecord;
  readonly shutOff: ShutOff;
  readonly listening: Listening;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly settings: AgentSettings;
  readonly tell: (event: AgentEvent) => void;
}

/** What the cloud says of its own accord: the answer to a request or proof; that another job is next (or none); that the list of jobs has changed. */
export type Said =
  | { readonly kind: 'response'; readonly response: RotationResponse }
  | { readonly kind: 'next'; readonly execution: JobExecution | undefined }
  | { readonly kind: 'pending' };

/** One connection, while it lasts. */
export interface Session {
  readonly connection: Connection;
  readonly jobs: JobsClient;
  readonly inbox: Inbox<Said>;
  readonly orders: Orders;
  /** Aborted when the connection is over or the agent stops; everything that waits ends then. */
  readonly signal: AbortSignal;
}
