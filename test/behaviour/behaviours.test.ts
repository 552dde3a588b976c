/** The words of a behaviour: what is normal, what is refused, and what the defaults say. */
import fc from 'fast-check';
import { BEHAVIOUR_METRICS, behaviourMetric } from '../../domain/fleet/behaviour-metrics.js';
import { BehaviourList, behaviourFault, elementTest, meets, percentile, type Behaviour } from '../../domain/fleet/behaviours.js';
import { isInCidr, parseAddress, parseCidr } from '../../domain/fleet/cidr.js';
import { DEFAULT_BEHAVIOURS, DEFAULT_CUSTOM_METRICS } from '../../domain/fleet/default-behaviours.js';

const like = (fields: Partial<Behaviour>): Behaviour => ({
  name: 'b',
  metric: 'aws:num-messages-sent',
  operator: 'less-than-equals',
  value: 3,
  datapointsToAlarm: 1,
  datapointsToClear: 1,
  response: 'notify',
  ...fields,
});

describe('a number', () => {
  it.each([
    ['less-than', 2, true],
    ['less-than', 3, false],
    ['less-than-equals', 3, true],
    ['less-than-equals', 4, false],
    ['greater-than', 4, true],
    ['greater-than', 3, false],
    ['greater-than-equals', 3, true],
    ['greater-than-equals', 2, false],
  ] as const)('that is %s 3: %d → %s', (operator, observed, normal) => expect(meets(operator, observed, 3)).toBe(normal));

  it('is not compared by an operator of sets', () =>
    expect(() => meets('in-set', 1, 1)).toThrow(/got in-set, expected one that compares numbers/));
});

describe('an element', () => {
  it.each([
    ['in-cidr-set', ['192.0.2.0/24'], '192.0.2.9', true],
    ['in-cidr-set', ['192.0.2.0/24'], '192.0.3.9', false],
    ['in-cidr-set', ['192.0.2.0/24'], 'no address', false],
    ['not-in-cidr-set', ['192.0.2.0/24'], '192.0.2.9', false],
    ['not-in-cidr-set', ['192.0.2.0/24'], '10.0.0.1', true],
    ['in-cidr-set', ['2001:db8::/32'], '2001:db8:0:1::5', true],
    ['in-cidr-set', ['2001:db8::/32'], '192.0.2.1', false],
    ['in-cidr-set', ['192.0.2.0/24'], '::ffff:192.0.2.1', true],
    ['in-port-set', [22, 443], 22, true],
    ['in-port-set', [22, 443], 23, false],
    ['not-in-port-set', [23], 23, false],
    ['not-in-port-set', [23], 22, true],
    ['in-set', ['agent'], 'agent', true],
    ['in-set', ['agent'], 'miner', false],
    ['not-in-set', [1, 2], 3, true],
    ['not-in-set', [1, 2], 2, false],
  ] as const)('%s %j: %s → %s', (operator, value, element, normal) => expect(elementTest(like({ operator, value }))(element)).toBe(normal));
});

describe('an address', () => {
  it.each(['', '1.2.3', '256.1.1.1', '1.2.3.4.5', '1:2', ':::', '1::2::3', '12345::', 'g::', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::8'])(
    'is not "%s"',
    (text) => expect(parseAddress(text)).toBeUndefined(),
  );
  it.each(['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/x', '10.0.0.0/8/8', '::/129', 'x/8'])('and no block is "%s"', (text) =>
    expect(parseCidr(text)).toBeUndefined(),
  );
  it('is in every block that begins with its own bits, and in none that differs in one of them', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 1, max: 32 }), fc.nat(31), (text, length, flip) => {
        const address = parseAddress(text)!;
        expect(isInCidr(address, parseCidr(`${text}/${length}`)!)).toBe(true);
        const other = { ...address, bits: address.bits ^ (1n << BigInt(31 - (flip % length))) };
        expect(isInCidr(other, parseCidr(`${text}/${length}`)!)).toBe(false);
      }),
    );
  });
  it('of version 6 is read in each of its notations', () => {
    fc.assert(fc.property(fc.ipV6(), (text) => expect(parseAddress(text)).toBeDefined()));
    expect(parseAddress('::1')).toEqual(parseAddress('0:0:0:0:0:0:0:1'));
    expect(parseAddress('2001:db8::10.0.0.1')).toEqual(parseAddress('2001:db8::a00:1'));
  });
});

describe('a percentile', () => {
  const ten = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100];
  it.each([
    ['p0', 10],
    ['p10', 10],
    ['p50', 50],
    ['p90', 90],
    ['p99', 100],
    ['p100', 100],
  ] as const)('%s of ten devices is %d', (statistic, value) => expect(percentile(ten.toReversed(), statistic)).toBe(value));
});

describe('a behaviour', () => {
  it.each<[string, Partial<Behaviour>, string]>([
    ['of a metric that nobody knows', { metric: 'aws:unknown' }, 'metric'],
    ['of a custom metric that is not declared', { metric: 'fan' }, 'metric'],
    ['without a criterion', { value: undefined }, 'value'],
    ['with two criteria', { statistic: 'p90' }, 'value'],
    ['that ML Detect cannot learn', { metric: 'aws:source-ip-address', operator: undefined, value: undefined, ml: 'HIGH' }, 'ml'],
    ['that is learned and compared', { value: undefined, ml: 'HIGH' }, 'operator'],
    ['without an operator', { operator: undefined }, 'operator'],
    ['with an operator of another kind', { operator: 'in-port-set' }, 'operator'],
    ['of an absence that is too short', { metric: 'aws:disconnect-duration', operator: 'greater-than' }, 'operator'],
    [
      'with a percentile of ports',
      { metric: 'aws:listening-tcp-ports', operator: 'in-port-set', value: undefined, statistic: 'p90' },
      'statistic',
    ],
    ['with half a message', { value: 1.5 }, 'value'],
    ['with fewer than no messages', { value: -1 }, 'value'],
    ['with a list of messages', { value: [1] }, 'value'],
    ['with one port instead of a list', { metric: 'aws:listening-tcp-ports', operator: 'in-port-set', value: 22 }, 'value'],
    ['with no port at all', { metric: 'aws:listening-tcp-ports', operator: 'in-port-set', value: [] }, 'value'],
    ['with a port beyond the last', { metric: 'aws:listening-tcp-ports', operator: 'in-port-set', value: [65_536] }, 'value'],
    ['with a block that is none', { metric: 'aws:source-ip-address', operator: 'in-cidr-set', value: ['10.0.0.0/33'] }, 'value'],
    ['with a text as custom number', { metric: 'battery', value: ['x'] }, 'value'],
  ])('%s is refused', (_, fields, field) => {
    expect(behaviourFault(like(fields), DEFAULT_CUSTOM_METRICS)?.field).toBe(field);
  });

  it.each<[string, Partial<Behaviour>]>([
    ['with a limit', {}],
    ['with a percentile', { value: undefined, statistic: 'p99.9' }],
    ['that is learned', { operator: undefined, value: undefined, ml: 'LOW' }],
    ['of an absence', { metric: 'aws:disconnect-duration', operator: 'less-than' }],
    ['of a custom number with a fraction', { metric: 'battery', value: 1.5 }],
    ['of addresses', { metric: 'aws:source-ip-address', operator: 'in-cidr-set', value: ['10.0.0.0/8', '::1'] }],
  ])('%s is accepted', (_, fields) => expect(behaviourFault(like(fields), DEFAULT_CUSTOM_METRICS)).toBeUndefined());
});

describe('the defaults', () => {
  it('say what is normal for every metric there is, and for the custom metrics', () => {
    const metrics = new Set(DEFAULT_BEHAVIOURS.map(({ metric }) => metric));
    expect([...metrics].toSorted()).toEqual([...Object.keys(BEHAVIOUR_METRICS), ...Object.keys(DEFAULT_CUSTOM_METRICS)].toSorted());
  });

  it('are in order, each under a name of its own', () => {
    for (const each of DEFAULT_BEHAVIOURS)
      expect([each.name, behaviourFault(each, DEFAULT_CUSTOM_METRICS)]).toEqual([each.name, undefined]);
    expect(new Set(DEFAULT_BEHAVIOURS.map(({ name }) => name)).size).toBe(DEFAULT_BEHAVIOURS.length);
  });

  it('name every metric in the state of a window by a code that no other has', () => {
    const codes = Object.values(BEHAVIOUR_METRICS).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(behaviourMetric('fan', { fan: 'string-list' })).toMatchObject({ kind: 'strings', gathering: 'set', code: 'x:fan' });
  });

  it('read back as they were written: a list is the same on both sides of an environment', () => {
    const list = { behaviours: [...DEFAULT_BEHAVIOURS], customMetrics: { ...DEFAULT_CUSTOM_METRICS } };
    expect(BehaviourList.parse(JSON.parse(JSON.stringify(list)))).toEqual(list);
  });
});
