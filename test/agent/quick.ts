import type { AgentSettings } from '../../agent/settings.js';

/** A device with no patience. */
export const QUICK: Partial<AgentSettings> = {
  connectTimeoutMs: 5000,
  reconnect: { firstMs: 20, longestMs: 100 },
  connectIntervalMs: 0,
  trialTries: 3,
  jobAnswerMs: 1000,
  answerMs: 300,
  ask: { firstMs: 20, longestMs: 100 },
  refused: { firstMs: 50, longestMs: 100 },
  settleMs: 150,
  storage: { firstMs: 10, longestMs: 50 },
  telemetryEveryMs: 1000,
};
