import { fleetwarden } from './installation.js';

const AT_NO_DESK = {
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'x',
  AWS_SECRET_ACCESS_KEY: 'x',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  AWS_MAX_ATTEMPTS: '1',
};

describe('what is not understood ends with 2 and says what was expected', () => {
  test.each<[string, readonly string[], RegExp]>([
    ['no command', [], /Usage: fleetwarden/],
    ['a command that there is not', ['revoke-everything'], /unknown command 'revoke-everything'/],
    ['an option that there is not', ['status', '--force'], /unknown option '--force'/],
    ['why without a target', ['why'], /missing required argument 'target'/],
    ['a stop without a reason', ['pause'], /required option '--reason <text>'/],
    ['an approval without a hash', ['approve', '--yes'], /missing required argument 'hash'/],
    ['more than was asked for', ['approve', 'abcdefab', 'abcdefac'], /too many arguments/],
  ])('%s', async (_sentence, given, said) => {
    const { code, out, err } = await fleetwarden(AT_NO_DESK, ...given);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(said);
  });
});

test('help is no failure, and names every command', async () => {
  const { code, out } = await fleetwarden({}, '--help');
  expect(code).toBe(0);
  for (const name of ['status', 'why', 'holds', 'approve', 'reject', 'reopen', 'pause', 'resume', 'reconcile', 'sweep', 'crl'])
    expect(out).toContain(`  ${name}`);
});

describe('AWS out of reach ends with 2', () => {
  test.each([
    ['no region', {}, /no region: expected AWS_REGION/],
    ['nobody answers at the endpoint', AT_NO_DESK, /AWS cannot be reached/],
  ])('%s', async (_sentence, environment, said) => {
    const { code, err } = await fleetwarden(environment, 'status');
    expect(code).toBe(2);
    expect(err).toMatch(said);
  });
});
