/** How datapoints become violations: without any one of the conditions in decide.ts one of these is wrong. */
import type { Behaviour } from '../../domain/fleet/behaviours.js';
import { decideAway, decideStanding, lastWindowOver, type StandingFacts } from '../../lambda/behaviour/offline/decide.js';
import { criteriaOf } from '../../lambda/behaviour/standing/criteria.js';
import { decide, type Datapoint } from '../../lambda/behaviour/standing/decide.js';
import type { Standing } from '../../domain/fleet/standing.js';
import { WINDOW_MS, behaviour } from './memory/world.js';

const NOW = Date.parse('2026-11-22T10:07:00Z');
const criteria = (fields: Partial<Behaviour> = {}) =>
  criteriaOf(behaviour({ name: 'sent', metric: 'aws:num-messages-sent', datapointsToAlarm: 2, datapointsToClear: 2, ...fields }), {
    prefix: 'fleetwarden',
    profileName: 'fleetwarden-built-in',
    windowSeconds: 300,
    customMetrics: {},
  });
const of = criteria();
const END = Date.parse('2026-11-22T10:05:00Z');
const datapoint = (isNormal: boolean, fields: Partial<Datapoint> = {}): Datapoint => ({
  clientId: 'dev-1',
  thingName: 'dev-1',
  isNormal,
  value: { count: isNormal ? 1 : 9 },
  windowStartMs: END - WINDOW_MS,
  windowEndMs: END,
  silenceIsNormal: true,
  ...fields,
});
const standing = (fields: Partial<Standing> = {}): Standing => ({
  clientId: 'dev-1',
  thingName: 'dev-1',
  behaviour: 'sent',
  criteria: of.hash,
  lastWindowEndMs: END - WINDOW_MS,
  abnormalInRow: 1,
  normalInRow: 0,
  updatedAtMs: NOW - WINDOW_MS,
  ...fields,
});
const open = (fields: Partial<Standing> = {}) =>
  standing({ violationId: 'v1', startedAtMs: 1, abnormalInRow: 2, metricValue: { count: 7 }, ...fields });

describe('a datapoint', () => {
  it('that is normal, about a client of which nothing is known, says nothing', () =>
    expect(decide(undefined, datapoint(true), of, NOW)).toEqual({ do: 'nothing', reason: 'normal' }));
  it('that is abnormal is counted', () =>
    expect(decide(undefined, datapoint(false), of, NOW)).toMatchObject({
      do: 'write',
      reason: 'counting',
      standing: { abnormalInRow: 1, lastWindowEndMs: END },
    }));
  it('that is the last of a row raises the alarm, in the words of Detect', () => {
    const decision = decide(standing(), datapoint(false), of, NOW);
    expect(decision).toMatchObject({ do: 'write', reason: 'in-alarm', standing: { abnormalInRow: 2, startedAtMs: NOW } });
    expect((decision as { standing: Standing }).standing.pending).toEqual({
      violationEventTime: NOW,
      thingName: 'dev-1',
      behavior: {
        name: 'sent',
        metric: 'aws:num-messages-sent',
        criteria: {
          comparisonOperator: 'less-than-equals',
          value: { count: 3 },
          durationSeconds: 300,
          consecutiveDatapointsToAlarm: 2,
          consecutiveDatapointsToClear: 2,
        },
      },
      violationEventType: 'in-alarm',
      metricValue: { count: 9 },
      violationId: expect.stringMatching(/^[0-9a-f]{32}$/),
      securityProfileName: 'fleetwarden-built-in',
    });
  });
  it('raises at once where one is enough', () =>
    expect(decide(undefined, datapoint(false), criteria({ datapointsToAlarm: 1 }), NOW)).toMatchObject({ reason: 'in-alarm' }));
  it('of a window that was counted is not counted again', () => {
    expect(decide(standing({ lastWindowEndMs: END }), datapoint(false), of, NOW)).toEqual({ do: 'nothing', reason: 'counted-before' });
    expect(decide(open({ lastWindowEndMs: END }), datapoint(true), of, NOW)).toEqual({ do: 'nothing', reason: 'counted-before' });
  });
  it('of an older window is ignored', () =>
    expect(decide(standing({ lastWindowEndMs: END + WINDOW_MS }), datapoint(false), of, NOW)).toMatchObject({ do: 'nothing' }));
  it('that is normal ends a row', () =>
    expect(decide(standing(), datapoint(true), of, NOW)).toEqual({ do: 'remove', reason: 'normal-again' }));
  it('after a window of silence begins a row, where silence is normal', () => {
    const gap = standing({ lastWindowEndMs: END - 2 * WINDOW_MS });
    expect(decide(gap, datapoint(false), of, NOW)).toMatchObject({ reason: 'counting', standing: { abnormalInRow: 1 } });
    expect(decide(gap, datapoint(false, { silenceIsNormal: false }), of, NOW)).toMatchObject({ reason: 'in-alarm' });
  });
  it('that is abnormal while the alarm is on raises no second one, and normal ones begin anew', () =>
    expect(decide(open({ normalInRow: 1 }), datapoint(false), of, NOW)).toMatchObject({
      reason: 'counting',
      standing: { violationId: 'v1', abnormalInRow: 3, normalInRow: 0, metricValue: { count: 9 } },
    }));
  it('that is normal is counted towards the end of the alarm', () =>
    expect(decide(open(), datapoint(true), of, NOW)).toMatchObject({
      reason: 'counting',
      standing: { normalInRow: 1, abnormalInRow: 0, violationId: 'v1' },
    }));
  it('that is the last normal one clears the alarm', () =>
    expect(decide(open({ normalInRow: 1 }), datapoint(true), of, NOW)).toMatchObject({
      reason: 'alarm-cleared',
      standing: { pending: { violationEventType: 'alarm-cleared', violationId: 'v1', metricValue: { count: 1 } } },
    }));
});

describe('a standing under other criteria', () => {
  const other = criteria({ value: 100 });
  it('is invalidated where a violation is open, without a value: what it was measured by is gone', () => {
    const decision = decide(open(), datapoint(false), other, NOW);
    expect(decision).toMatchObject({
      reason: 'alarm-invalidated',
      standing: { pending: { violationId: 'v1', verificationState: 'UNKNOWN' } },
    });
    expect((decision as { standing: Standing }).standing.pending).not.toHaveProperty('metricValue');
  });
  it('is counted anew where none is', () => {
    expect(decide(standing(), datapoint(false), other, NOW)).toMatchObject({
      reason: 'counting',
      standing: { abnormalInRow: 1, criteria: other.hash },
    });
    expect(decide(standing(), datapoint(true), other, NOW)).toMatchObject({ do: 'nothing' });
  });
});

describe('the id of a violation', () => {
  it('is the same for the same client, behaviour and window, and for nothing else', () => {
    const ids = [
      of.idOf('dev-1', END),
      of.idOf('dev-10', END),
      of.idOf('dev-1', END + WINDOW_MS),
      criteria({ name: 'other' }).idOf('dev-1', END),
    ];
    expect(new Set(ids).size).toBe(4);
    expect(criteria({ value: 4 }).idOf('dev-1', END)).toBe(ids[0]);
  });
  it('does not run two names into one', () => {
    const named = (name: string) => criteria({ name });
    expect(named('b').idOf('dev-1:a', END)).not.toBe(named('a:b').idOf('dev-1', END));
  });
});

describe('criteria', () => {
  it('of a list have no duration, as the API wants it', () => {
    const words = criteria({ metric: 'aws:source-ip-address', operator: 'in-cidr-set', value: ['10.0.0.0/8'] }).words;
    expect(words.criteria).toEqual({
      comparisonOperator: 'in-cidr-set',
      value: { cidrs: ['10.0.0.0/8'] },
      consecutiveDatapointsToAlarm: 2,
      consecutiveDatapointsToClear: 2,
    });
  });
  it('of a percentile have one, and no value', () =>
    expect(criteria({ metric: 'aws:message-byte-size', value: undefined, statistic: 'p90' }).words.criteria).toMatchObject({
      statisticalThreshold: { statistic: 'p90' },
      durationSeconds: 300,
    }));
});

describe('the round, about a standing', () => {
  const facts = (fields: Partial<StandingFacts> = {}): StandingFacts => ({
    lastWindowEndMs: END - WINDOW_MS,
    updatedAtMs: NOW - 60_000,
    isPending: false,
    isCurrent: true,
    silence: { isNormal: true, value: { count: 0 } },
    ...fields,
  });
  const settled = END + 4 * 60_000;
  const decided = (fields: Partial<StandingFacts> = {}, nowMs = settled) => decideStanding(facts(fields), WINDOW_MS, nowMs);

  it('counts a window without events when it is over for sure', () => {
    expect(decided()).toEqual({ do: 'count', reason: 'silent', isNormal: true, value: { count: 0 } });
    expect(decided({}, END + 2 * 60_000)).toEqual({ do: 'nothing', reason: 'too-early' });
    expect(decided({ lastWindowEndMs: END })).toEqual({ do: 'nothing', reason: 'too-early' });
  });
  it('announces what somebody else has left half done, and not what somebody is at', () => {
    expect(decided({ isPending: true, updatedAtMs: settled - 120_000 })).toEqual({ do: 'announce', reason: 'left-half-done' });
    expect(decided({ isPending: true, updatedAtMs: settled - 119_999 })).toEqual({ do: 'nothing', reason: 'too-early' });
  });
  it('gives up what no behaviour is about any more', () =>
    expect(decided({ isCurrent: false })).toEqual({ do: 'give-up', reason: 'behaviour-gone' }));
  it('waits where silence says nothing, and gives up after two days', () => {
    expect(decided({ silence: undefined })).toEqual({ do: 'nothing', reason: 'waits' });
    expect(decided({ silence: undefined, lastWindowEndMs: settled - 2 * 86_400_000 })).toEqual({ do: 'nothing', reason: 'waits' });
    expect(decided({ silence: undefined, lastWindowEndMs: settled - 2 * 86_400_000 - 1 })).toEqual({ do: 'give-up', reason: 'no-metrics' });
  });
  it('of an absence ends it when the device is there, and waits as long as it is not', () => {
    expect(decided({ silence: undefined, isConnected: true })).toEqual({
      do: 'count',
      reason: 'back',
      isNormal: true,
      value: { count: 0 },
    });
    expect(decided({ silence: undefined, isConnected: false, lastWindowEndMs: 0 })).toEqual({ do: 'nothing', reason: 'waits' });
  });
  it('knows windows by multiples of their length', () => expect(lastWindowOver(WINDOW_MS, END + 180_000)).toBe(END));
});

describe('the round, about a device that is away', () => {
  const away = behaviour({ name: 'away', metric: 'aws:disconnect-duration', value: 60 });
  it('says so when it is away longer than is normal', () => {
    expect(decideAway(away, NOW - 61 * 60_000, NOW)).toEqual({ do: 'count', reason: 'away', isNormal: false, value: { count: 61 } });
    expect(decideAway(away, NOW - 60 * 60_000, NOW)).toEqual({ do: 'nothing', reason: 'too-early' });
  });
  it('says nothing where the limit is no number', () => {
    expect(decideAway({ ...away, value: undefined }, 0, NOW)).toMatchObject({ do: 'nothing' });
    expect(decideAway({ ...away, operator: undefined }, 0, NOW)).toMatchObject({ do: 'nothing' });
  });
});
