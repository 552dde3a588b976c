import { onlyServed, present, textOf } from '../properties.js';
import type { Provider, Providers } from '../provider.js';

const parameter: Provider = async (properties, context) => {
  onlyServed(properties, ['DataType', 'Description', 'Name', 'Tags', 'Tier', 'Type', 'Value']);
  const name = textOf(properties, 'Name') ?? context.physicalName(1011);
  const type = textOf(properties, 'Type');
  const value = textOf(properties, 'Value');
  // CloudFormation creates no secure strings (AWS::SSM::Parameter, Type).
  if (type !== 'String' && type !== 'StringList') throw new Error(`Type: got '${type}', expected String or StringList`);
  await context.cloud.call(
    'ssm',
    'PutParameter',
    present({
      Name: name,
      Type: type,
      Value: value,
      Description: textOf(properties, 'Description'),
      DataType: textOf(properties, 'DataType'),
      Tier: textOf(properties, 'Tier'),
    }),
  );
  return { ref: name, attributes: { Type: type, Value: value } };
};

export const providers: Providers = { 'AWS::SSM::Parameter': parameter };
