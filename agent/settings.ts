/** The times and counts of the protocol (docs/protocol.md §7). The defaults suit a device on AWS IoT; tests and simulations shorten them. */
import type { Backoff } from './retry.js';

export interface AgentSettings {
  /** For TCP, TLS and CONNACK together. */
  readonly connectTimeoutMs: number;
  /** Between two attempts to connect. */
  readonly reconnect: Backoff;
  /** Between the beginnings of two connections: AWS IoT takes one CONNECT a second of a client id. */
  readonly connectIntervalMs: number;
  /** A connection that lasted so long was a good one: the next attempt begins with the first waiting time again. */
  readonly stableAfterMs: number;
  /** Refusals of the new certificate before it is given up, and of any pair before the other one is tried. */
  readonly trialTries: number;
  /** For an answer of AWS IoT Jobs. */
  readonly jobAnswerMs: number;
  readonly jobTries: number;
  /** For the answer to a request or a proof; the next one is sent this long and a jittered time later. */
  readonly answerMs: number;
  readonly requestTries: number;
  /** Between attempts at Jobs, requests and proofs. */
  readonly ask: Backoff;
  /** After a refusal that is not final. */
  readonly refused: Backoff;
  /** How long the old certificate must hold its connection, after a proof was sent, before the new pair is deleted. */
  readonly settleMs: number;
  /** Attempts at a step that the storage does not take. */
  readonly storageTries: number;
  readonly storage: Backoff;
  readonly telemetryEveryMs: number;
  /** Between two reports of the device on itself. Device Defender takes one in five minutes. */
  readonly reportEveryMs: number;
  /** Reports go to the reserved topic of Device Defender as well: only where the device policy lets them. */
  readonly reportsToDetect: boolean;
  /** So many connections in a row that end soon after the device has spoken make it quiet: nothing but jobs and rotation, for a jittered time. */
  readonly cutsUntilQuiet: number;
  readonly quiet: Backoff;
}

export const DEFAULT_SETTINGS: AgentSettings = {
  connectTimeoutMs: 30_000,
  reconnect: { firstMs: 1000, longestMs: 120_000 },
  connectIntervalMs: 1100,
  stableAfterMs: 30_000,
  trialTries: 5,
  jobAnswerMs: 10_000,
  jobTries: 5,
  answerMs: 20_000,
  requestTries: 20,
  ask: { firstMs: 2000, longestMs: 300_000 },
  refused: { firstMs: 60_000, longestMs: 900_000 },
  settleMs: 600_000,
  storageTries: 3,
  storage: { firstMs: 1000, longestMs: 60_000 },
  telemetryEveryMs: 5000,
  reportEveryMs: 300_000,
  reportsToDetect: false,
  cutsUntilQuiet: 2,
  quiet: { firstMs: 60_000, longestMs: 900_000 },
};
