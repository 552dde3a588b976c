import { evaluate } from '../../../local/iam/evaluate.js';
import type { PolicyDocument, PolicyStatement, Principal } from '../../../local/iam/principal.js';
import { createWorld } from '../../../local/world/world.js';
import { DeskIam } from '../../../local/iam/desk-iam.js';

const ACCOUNT = '000000000000';
const role: Principal = {
  kind: 'role',
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/sync/s`,
  roleArn: `arn:aws:iam::${ACCOUNT}:role/sync`,
  sessionName: 's',
  accountId: ACCOUNT,
};
const service: Principal = {
  kind: 'service',
  service: 'events.amazonaws.com',
  sourceArn: `arn:aws:events:eu-west-1:${ACCOUNT}:rule/r`,
  accountId: ACCOUNT,
};
const QUEUE = `arn:aws:sqs:eu-west-1:${ACCOUNT}:q`;

const document = (...statements: readonly Partial<PolicyStatement>[]): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: statements.map((statement) => ({
    Effect: 'Allow' as const,
    ...('NotAction' in statement ? {} : { Action: 'sqs:SendMessage' }),
    ...('NotResource' in statement ? {} : { Resource: QUEUE }),
    ...statement,
  })),
});

function decide(
  principal: Principal,
  identity: readonly PolicyDocument[],
  resource: readonly PolicyDocument[] = [],
  action = 'sqs:SendMessage',
  target = QUEUE,
): boolean {
  return evaluate({
    principal,
    request: { action, resource: target },
    identityPolicies: identity,
    resourcePolicies: resource,
    now: new Date('2026-11-22T00:00:00Z'),
    region: 'eu-west-1',
  }).allowed;
}

describe('the decision within one account', () => {
  it('denies what nobody allows', () => expect(decide(role, [])).toBe(false));
  it('allows what the caller’s own policy allows', () => expect(decide(role, [document({})])).toBe(true));
  it('lets an explicit deny of the caller’s policy win', () =>
    expect(decide(role, [document({}), document({ Effect: 'Deny' })])).toBe(false));
  it('lets an explicit deny of the resource’s policy win', () =>
    expect(decide(role, [document({})], [document({ Effect: 'Deny', Principal: '*' })])).toBe(false));
  it('lets a deny for the account bar everybody in it', () =>
    expect(decide(role, [document({})], [document({ Effect: 'Deny', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } })])).toBe(false));
  it('allows what the resource’s policy allows to the role by name', () =>
    expect(decide(role, [], [document({ Principal: { AWS: role.roleArn } })])).toBe(true));
  it('takes an allow for the account as a delegation only', () =>
    expect(decide(role, [], [document({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } })])).toBe(false));
  it('does not allow another role', () => expect(decide(role, [], [document({ Principal: { AWS: `${role.roleArn}2` } })])).toBe(false));
  it('lets a service in by the resource’s policy alone', () => {
    expect(decide(service, [])).toBe(false);
    expect(decide(service, [], [document({ Principal: { Service: 'events.amazonaws.com' } })])).toBe(true);
    expect(decide(service, [], [document({ Principal: { Service: 'sns.amazonaws.com' } })])).toBe(false);
  });
  it('gives a service’s request its source ARN and account', () => {
    const from = (sourceArn: string): PolicyDocument =>
      document({
        Principal: { Service: 'events.amazonaws.com' },
        Condition: { ArnEquals: { 'aws:SourceArn': sourceArn }, StringEquals: { 'aws:SourceAccount': ACCOUNT } },
      });
    expect(decide(service, [], [from(service.sourceArn)])).toBe(true);
    expect(decide(service, [], [from(`${service.sourceArn}2`)])).toBe(false);
  });
  it('bars everybody but those whom NotPrincipal names', () => {
    const policy = document({ Effect: 'Deny', Principal: undefined, NotPrincipal: { AWS: role.roleArn } });
    expect(decide(role, [document({})], [policy])).toBe(true);
    expect(decide({ ...role, roleArn: `${role.roleArn}2`, arn: 'x' }, [document({})], [policy])).toBe(false);
  });
  it('compares actions without case, resources with it', () => {
    expect(decide(role, [document({ Action: 'SQS:send*' })])).toBe(true);
    expect(decide(role, [document({ Resource: QUEUE.toUpperCase() })])).toBe(false);
  });
  it('takes NotAction and NotResource for what they leave', () => {
    expect(decide(role, [document({ NotAction: 'sqs:DeleteMessage' })])).toBe(true);
    expect(decide(role, [document({ NotAction: 'sqs:*' })])).toBe(false);
    expect(decide(role, [document({ NotResource: QUEUE })])).toBe(false);
    expect(decide(role, [document({ NotResource: `${QUEUE}2` })])).toBe(true);
  });
  it('does not let a name match a longer one', () => expect(decide(role, [document({ Resource: `${QUEUE}1` })])).toBe(false));
});

describe('what is not understood', () => {
  it.each([
    ['an unknown element', { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*', Extra: 1 }] }],
    ['an unknown effect', { Version: '2012-10-17', Statement: [{ Effect: 'Maybe', Action: '*', Resource: '*' }] }],
    ['no action', { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Resource: '*' }] }],
    ['no resource', { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*' }] }],
    [
      'a principal in an identity policy',
      { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*', Principal: '*' }] },
    ],
    ['an unknown version', { Version: '2020-01-01', Statement: [] }],
    [
      'an unknown operator',
      { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*', Condition: { StringIs: { 'aws:x': 'y' } } }] },
    ],
  ])('%s is refused at load', (_what, policy) => {
    const iam = new DeskIam(createWorld({ seed: 1 }));
    const trust = { Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }] } as const;
    expect(() => iam.createRole('r', trust, [policy as unknown as PolicyDocument], [])).toThrow(/statement|policy|operator/);
  });

  it('a managed policy that is not in the table is refused', () => {
    const iam = new DeskIam(createWorld({ seed: 1 }));
    const trust = { Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }] } as const;
    expect(() => iam.createRole('r', trust, [], ['arn:aws:iam::aws:policy/PowerUserAccess'])).toThrow('PowerUserAccess');
  });
});

describe('assuming a role', () => {
  const world = createWorld({ seed: 1 });
  const iam = new DeskIam(world);
  const trust = (principal: Record<string, string>, condition?: PolicyStatement['Condition']): PolicyDocument => ({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: principal, ...(condition ? { Condition: condition } : {}) }],
  });
  const lambda = iam.createRole('for-lambda', trust({ Service: 'lambda.amazonaws.com' }), [], []);
  const iot = iam.createRole(
    'for-iot',
    trust({ Service: 'iot.amazonaws.com' }, { StringEquals: { 'aws:SourceAccount': ACCOUNT } }),
    [],
    [],
  );
  const account = iam.createRole(
    'for-account',
    trust({ AWS: `arn:aws:iam::${ACCOUNT}:root` }),
    [document({ Action: 'sts:AssumeRole', Resource: '*' })],
    [],
  );

  it('works for the service that the trust policy names', () => {
    const session = iam.assume(lambda.arn, 'lambda.amazonaws.com', 'sync');
    expect(iam.principalOf(session.accessKeyId)).toMatchObject({
      kind: 'role',
      roleArn: lambda.arn,
      arn: `arn:aws:sts::${ACCOUNT}:assumed-role/for-lambda/sync`,
    });
  });
  it('is denied to any other service', () =>
    expect(() => iam.assume(lambda.arn, 'iot.amazonaws.com', 's')).toThrow('not authorized to perform: sts:AssumeRole'));
  it('minds the trust policy’s conditions', () =>
    expect(iam.trustsService(iot.arn, 'iot.amazonaws.com', 'arn:aws:iot:eu-west-1:000000000000:rule/r').allowed).toBe(true));
  it('needs the caller’s own policies where the trust policy names the account', () => {
    expect(() => iam.assumeAs(iam.administrator, account.arn, 'me')).not.toThrow();
    const nobody: Principal = { kind: 'role', arn: 'x', roleArn: lambda.arn, sessionName: 's', accountId: ACCOUNT };
    expect(() => iam.assumeAs(nobody, account.arn, 'me')).toThrow('sts:AssumeRole');
  });
  it('does not let an administrator into a role that trusts a service only', () =>
    expect(() => iam.assumeAs(iam.administrator, lambda.arn, 'me')).toThrow('sts:AssumeRole'));
});
