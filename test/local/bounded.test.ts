/** What a desk that runs for long, and is talked to by anybody, keeps in memory. */
import { CommandState, type CommandExecution } from '../../local/services/iot/commands/command.js';
import { LastHeard, MOST_DEVICES } from '../../local/services/iot/defender/last-heard.js';
import { MetricWindow } from '../../local/services/iot/defender/metric-window.js';
import type { Watched } from '../../local/services/iot/defender/watched.js';

const DAY = 86_400_000;
const START = Date.parse('2026-11-22T10:00:00Z');

describe('executions of commands', () => {
  const execution = (n: number, createdAtMs: number): CommandExecution => ({
    executionId: `e-${n}`,
    commandId: 'blink',
    commandArn: 'arn:aws:iot:eu-west-1:111122223333:command/blink',
    target: { arn: `arn:aws:iot:eu-west-1:111122223333:thing/pump-${n}`, kind: 'things', id: `pump-${n}` },
    executionTimeoutSeconds: 10,
    clientToken: `token-${n}`,
    createdAtMs,
    lastUpdatedAtMs: createdAtMs,
    status: 'TIMED_OUT',
    isTerminal: false,
  });
  function started(count: number, everyMs: number): CommandState {
    const state = new CommandState();
    for (let n = 0; n < count; n++) {
      state.add(execution(n, START + n * everyMs));
      state.started.set(`token-${n}`, { executionId: `e-${n}`, request: {} });
    }
    return state;
  }

  it('go after half a year with their tokens, also when nobody asks for them', () => {
    const { executions, started: tokens, byTarget } = started(400, DAY);
    expect([executions.size, tokens.size, byTarget.size]).toEqual([180, 180, 180]);
    expect([executions.has('e-219'), executions.has('e-220'), tokens.has('token-220')]).toEqual([false, true, true]);
  });

  it('are all kept until then', () => expect(started(400, 1000).executions.size).toBe(400));
});

describe('devices that Detect has heard of', () => {
  it('are so many: of more, those that have been silent for longest are forgotten', () => {
    const heard = new LastHeard();
    for (let n = 0; n < MOST_DEVICES; n++) heard.note(`claimed-${n}`, START + n);
    heard.note('claimed-0', START + DAY);
    heard.note('one-more', START + DAY);
    expect([heard.size, heard.of('claimed-1'), heard.of('claimed-0'), heard.of('one-more')]).toEqual([
      MOST_DEVICES,
      undefined,
      START + DAY,
      START + DAY,
    ]);
  });

  it('are forgotten with time', () => {
    const heard = new LastHeard();
    heard.note('first', START);
    heard.note('second', START + 1);
    heard.forgetBefore(START + 1);
    expect([heard.of('first'), heard.of('second')]).toEqual([undefined, START + 1]);
  });

  it('are as many in a window, counted ones and others', () => {
    const watched = (key: string, counted: boolean): Watched => ({
      key,
      profile: { name: 'p', arn: 'p', settings: {}, version: 1, createdAtMs: START, modifiedAtMs: START, targets: new Set() },
      behavior: { name: key },
      criteria: { comparisonOperator: 'less-than', value: { count: 5 } },
      metricName: key,
      metric: { kind: 'count', cloud: true, counted },
      durationMs: 300_000,
      covers: () => true,
    });
    const [attempts, sizes] = [watched('attempts', true), watched('sizes', false)];
    const window = new MetricWindow(START, 300_000);
    for (let n = 0; n < MOST_DEVICES + 500; n++) {
      window.hear(`claimed-${n}`);
      window.add(attempts, `claimed-${n}`, 1);
      window.add(sizes, `claimed-${n}`, 1);
      window.add(sizes, 'claimed-0', n);
    }
    expect([[...window.measured(attempts)].length, [...window.measured(sizes)].length]).toEqual([MOST_DEVICES, MOST_DEVICES]);
    // Who is among them is still measured.
    expect([...window.measured(sizes)][0]).toEqual(['claimed-0', { count: MOST_DEVICES + 499 }]);
  });
});
