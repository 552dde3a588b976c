/**
 * AWS::IoT::* → operations of the registry. Ref and GetAtt as in the resource reference
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IoT.html).
 */
import type { Provider, ProviderContext, Providers } from '../provider.js';

type Properties = Readonly<Record<string, unknown>>;

/** Properties that nobody reads would be promises that the desk does not keep: they are refused. */
function only(type: string, properties: Properties, known: readonly string[]): void {
  const stranger = Object.keys(properties).find((name) => !known.includes(name));
  if (stranger) throw new Error(`${type}: property ${stranger} is not supported on the desk`);
}

/** Template text and numbers arrive as strings where the API wants what they mean. */
function text(properties: Properties, name: string): string | undefined {
  const value = properties[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new Error(`${name}: got ${JSON.stringify(value)}, expected a string`);
}

function need(properties: Properties, name: string): string {
  const value = text(properties, name);
  if (value === undefined) throw new Error(`${name} is required`);
  return value;
}

const flag = (value: unknown): boolean => value === true || value === 'true';

/** `given(x, 'newName', value)`: the member only where the template has a value. */
const given = (name: string, value: unknown): Record<string, unknown> => (value === undefined ? {} : { [name]: value });

/** Members in the spelling of the API: `QueueUrl` → `queueUrl`, at every depth; keys of `Attributes` are the author's own. */
function apiSpelling(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(apiSpelling);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name[0]!.toLowerCase() + name.slice(1), apiSpelling(item)]));
}

/** Booleans and numbers of rule actions that templates may write as strings. */
function ruleAction(action: unknown): unknown {
  const spelled = apiSpelling(action) as Record<string, Record<string, unknown>>;
  for (const settings of Object.values(spelled)) {
    for (const name of ['useBase64', 'batchMode']) if (settings[name] !== undefined) settings[name] = flag(settings[name]);
    if (settings['qos'] !== undefined) settings['qos'] = Number(settings['qos']);
  }
  return spelled;
}

const call = <T>(context: ProviderContext, operation: string, input: Record<string, unknown>): Promise<T> =>
  context.cloud.call<T>('iot', operation, input);
const arnOf = ({ cloud: { world } }: ProviderContext, resource: string): string =>
  `arn:${world.partition}:iot:${world.region}:${world.accountId}:${resource}`;

interface CertificateReference {
  readonly certificateArn: string;
  readonly certificateId: string;
}
const certificate = ({ certificateArn, certificateId }: CertificateReference): { ref: string; attributes: Record<string, string> } => ({
  ref: certificateId,
  attributes: { Arn: certificateArn, Id: certificateId },
});

const caCertificate: Provider = async (properties, context) => {
  const known = [
    'CACertificatePem',
    'Status',
    'CertificateMode',
    'AutoRegistrationStatus',
    'RegistrationConfig',
    'VerificationCertificatePem',
    'RemoveAutoRegistration',
    'Tags',
  ];
  only('AWS::IoT::CACertificate', properties, known);
  return certificate(
    await call<CertificateReference>(context, 'RegisterCACertificate', {
      caCertificate: need(properties, 'CACertificatePem'),
      setAsActive: need(properties, 'Status') === 'ACTIVE',
      allowAutoRegistration: properties['AutoRegistrationStatus'] === 'ENABLE' && !flag(properties['RemoveAutoRegistration']),
      ...given('certificateMode', text(properties, 'CertificateMode')),
      ...given('verificationCertificate', text(properties, 'VerificationCertificatePem')),
      ...given('registrationConfig', apiSpelling(properties['RegistrationConfig'])),
      ...given('tags', properties['Tags']),
    }),
  );
};

const deviceCertificate: Provider = async (properties, context) => {
  only('AWS::IoT::Certificate', properties, [
    'CertificatePem',
    'CertificateSigningRequest',
    'CACertificatePem',
    'CertificateMode',
    'Status',
  ]);
  const status = need(properties, 'Status');
  if (properties['CertificateSigningRequest'] !== undefined) {
    const created = await call<CertificateReference>(context, 'CreateCertificateFromCsr', {
      certificateSigningRequest: need(properties, 'CertificateSigningRequest'),
      setAsActive: status === 'ACTIVE',
    });
    return certificate(created);
  }
  const withoutCa = properties['CertificateMode'] === 'SNI_ONLY';
  return certificate(
    await call<CertificateReference>(context, withoutCa ? 'RegisterCertificateWithoutCA' : 'RegisterCertificate', {
      certificatePem: need(properties, 'CertificatePem'),
      status,
      ...(withoutCa ? {} : given('caCertificatePem', text(properties, 'CACertificatePem'))),
    }),
  );
};

const policy: Provider = async (properties, context) => {
  only('AWS::IoT::Policy', properties, ['PolicyName', 'PolicyDocument', 'Tags']);
  const policyName = text(properties, 'PolicyName') ?? context.physicalName(128);
  const document = properties['PolicyDocument'];
  await call(context, 'CreatePolicy', {
    policyName,
    policyDocument: typeof document === 'string' ? document : JSON.stringify(document),
    ...given('tags', properties['Tags']),
  });
  return { ref: policyName, attributes: { Arn: arnOf(context, `policy/${policyName}`), Id: policyName } };
};

const policyPrincipalAttachment: Provider = async (properties, context) => {
  only('AWS::IoT::PolicyPrincipalAttachment', properties, ['PolicyName', 'Principal']);
  await call(context, 'AttachPolicy', { policyName: need(properties, 'PolicyName'), target: need(properties, 'Principal') });
  return { ref: context.physicalName(128), attributes: {} };
};

const thing: Provider = async (properties, context) => {
  only('AWS::IoT::Thing', properties, ['ThingName', 'ThingTypeName', 'AttributePayload']);
  const thingName = text(properties, 'ThingName') ?? context.physicalName(128);
  const attributes = (properties['AttributePayload'] as { readonly Attributes?: Readonly<Record<string, string>> } | undefined)?.Attributes;
  const { thingArn, thingId } = await call<{ thingArn: string; thingId: string }>(context, 'CreateThing', {
    thingName,
    ...given('thingTypeName', text(properties, 'ThingTypeName')),
    ...given('attributePayload', attributes && { attributes }),
  });
  return { ref: thingName, attributes: { Arn: thingArn, Id: thingId } };
};

const thingType: Provider = async (properties, context) => {
  only('AWS::IoT::ThingType', properties, ['ThingTypeName', 'ThingTypeProperties', 'DeprecateThingType', 'Tags']);
  const thingTypeName = text(properties, 'ThingTypeName') ?? context.physicalName(128);
  const { thingTypeArn, thingTypeId } = await call<{ thingTypeArn: string; thingTypeId: string }>(context, 'CreateThingType', {
    thingTypeName,
    ...given('thingTypeProperties', apiSpelling(properties['ThingTypeProperties'])),
    ...given('tags', properties['Tags']),
  });
  if (flag(properties['DeprecateThingType'])) await call(context, 'DeprecateThingType', { thingTypeName });
  return { ref: thingTypeName, attributes: { Arn: thingTypeArn, Id: thingTypeId } };
};

const thingGroup: Provider = async (properties, context) => {
  // QueryString would make the group dynamic, which the desk does not have.
  only('AWS::IoT::ThingGroup', properties, ['ThingGroupName', 'ParentGroupName', 'ThingGroupProperties', 'Tags']);
  const thingGroupName = text(properties, 'ThingGroupName') ?? context.physicalName(128);
  const { ThingGroupDescription, AttributePayload } = (properties['ThingGroupProperties'] ?? {}) as {
    readonly ThingGroupDescription?: string;
    readonly AttributePayload?: { readonly Attributes?: Readonly<Record<string, string>> };
  };
  const { thingGroupArn, thingGroupId } = await call<{ thingGroupArn: string; thingGroupId: string }>(context, 'CreateThingGroup', {
    thingGroupName,
    ...given('parentGroupName', text(properties, 'ParentGroupName')),
    thingGroupProperties: {
      ...given('thingGroupDescription', ThingGroupDescription),
      ...given('attributePayload', AttributePayload?.Attributes && { attributes: AttributePayload.Attributes }),
    },
    ...given('tags', properties['Tags']),
  });
  return { ref: thingGroupName, attributes: { Arn: thingGroupArn, Id: thingGroupId } };
};

const thingPrincipalAttachment: Provider = async (properties, context) => {
  only('AWS::IoT::ThingPrincipalAttachment', properties, ['ThingName', 'Principal', 'ThingPrincipalType']);
  await call(context, 'AttachThingPrincipal', {
    thingName: need(properties, 'ThingName'),
    principal: need(properties, 'Principal'),
    ...given('thingPrincipalType', text(properties, 'ThingPrincipalType')),
  });
  return { ref: context.physicalName(128), attributes: {} };
};

const topicRule: Provider = async (properties, context) => {
  only('AWS::IoT::TopicRule', properties, ['RuleName', 'TopicRulePayload', 'Tags']);
  const ruleName = text(properties, 'RuleName') ?? context.physicalName(128, { separator: '_' });
  const payload = properties['TopicRulePayload'] as Properties;
  only('AWS::IoT::TopicRule TopicRulePayload', payload, [
    'Sql',
    'Description',
    'Actions',
    'RuleDisabled',
    'AwsIotSqlVersion',
    'ErrorAction',
  ]);
  const tags = properties['Tags'] as readonly { readonly Key: string; readonly Value: string }[] | undefined;
  await call(context, 'CreateTopicRule', {
    ruleName,
    topicRulePayload: {
      sql: need(payload, 'Sql'),
      ...given('description', text(payload, 'Description')),
      actions: (payload['Actions'] as readonly unknown[]).map(ruleAction),
      ruleDisabled: flag(payload['RuleDisabled']),
      ...given('awsIotSqlVersion', text(payload, 'AwsIotSqlVersion')),
      ...given('errorAction', payload['ErrorAction'] === undefined ? undefined : ruleAction(payload['ErrorAction'])),
    },
    ...given('tags', tags && new URLSearchParams(tags.map(({ Key, Value }): [string, string] => [Key, Value])).toString()),
  });
  return { ref: ruleName, attributes: { Arn: arnOf(context, `rule/${ruleName}`) } };
};

/** A singleton of the account: the last stack wins, as on AWS (FACTS F). */
const logging: Provider = async (properties, context) => {
  only('AWS::IoT::Logging', properties, ['AccountId', 'RoleArn', 'DefaultLogLevel', 'EventConfigurations']);
  await call(context, 'SetV2LoggingOptions', {
    roleArn: need(properties, 'RoleArn'),
    defaultLogLevel: need(properties, 'DefaultLogLevel'),
    ...given('eventConfigurations', apiSpelling(properties['EventConfigurations'])),
  });
  return { ref: need(properties, 'AccountId'), attributes: {} };
};

const resourceSpecificLogging: Provider = async (properties, context) => {
  only('AWS::IoT::ResourceSpecificLogging', properties, ['LogLevel', 'TargetName', 'TargetType']);
  const [targetType, targetName] = [need(properties, 'TargetType'), need(properties, 'TargetName')];
  await call(context, 'SetV2LoggingLevel', { logTarget: { targetType, targetName }, logLevel: need(properties, 'LogLevel') });
  return { ref: `${targetType}:${targetName}`, attributes: { TargetId: `${targetType}:${targetName}` } };
};

export const providers: Providers = {
  'AWS::IoT::CACertificate': caCertificate,
  'AWS::IoT::Certificate': deviceCertificate,
  'AWS::IoT::Policy': policy,
  'AWS::IoT::PolicyPrincipalAttachment': policyPrincipalAttachment,
  'AWS::IoT::Thing': thing,
  'AWS::IoT::ThingType': thingType,
  'AWS::IoT::ThingGroup': thingGroup,
  'AWS::IoT::ThingPrincipalAttachment': thingPrincipalAttachment,
  'AWS::IoT::TopicRule': topicRule,
  'AWS::IoT::Logging': logging,
  'AWS::IoT::ResourceSpecificLogging': resourceSpecificLogging,
  'AWS::IoT::ProvisioningTemplate': (_, { logicalId }) => {
    throw new Error(`${logicalId}: AWS::IoT::ProvisioningTemplate is not supported on the desk: fleet provisioning is not served`);
  },
};
