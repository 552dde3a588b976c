/** AWS::IoT::Command (CloudFormation template reference, AWS IoT). */
import { booleanOf, onlyServed, present, textOf } from '../properties.js';
import type { Provider, Providers } from '../provider.js';

type Properties = Readonly<Record<string, unknown>>;

/**
 * The template reference has no description of `Content`, and the API takes octets: what is base64 is taken for that, and other text is refused rather
 * than guessed at. `PayloadTemplate` is text in both.
 */
function payloadOf({ Content: content, ContentType: contentType }: Properties): Properties {
  const octets = Buffer.from(String(content), 'base64');
  if (typeof content !== 'string' || octets.toString('base64') !== content)
    throw new Error('Payload.Content: expected base64; whether CloudFormation takes other text is not documented, PayloadTemplate is text');
  return present({ content: octets, contentType });
}

/** A value of CloudFormation, where numbers and truths may be texts. The keys are those of the API. */
function valueOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.fromEntries(
    Object.entries(value).map(([key, given]: [string, unknown]) => {
      if (key === 'I' || key === 'L' || key === 'D') return [key, Number(given)];
      if (key === 'B') return [key, given === true || given === 'true'];
      return [key, key === 'BIN' ? Buffer.from(String(given), 'base64') : String(given)];
    }),
  );
}

const lowerFirst = (name: string): string => name[0]!.toLowerCase() + name.slice(1);

/** Members in the spelling of the API; all values of operands are texts. */
function apiSpelling(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(apiSpelling);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [lowerFirst(name), apiSpelling(item)]));
}

function parameterOf(parameter: Properties): Properties {
  onlyServed(parameter, ['Name', 'Type', 'Value', 'DefaultValue', 'ValueConditions', 'Description']);
  return present({
    name: parameter['Name'],
    type: parameter['Type'],
    value: valueOf(parameter['Value']),
    defaultValue: valueOf(parameter['DefaultValue']),
    valueConditions: apiSpelling(parameter['ValueConditions']),
    description: parameter['Description'],
  });
}

const command: Provider = async (properties, { cloud }) => {
  onlyServed(properties, [
    'CommandId',
    'Namespace',
    'DisplayName',
    'Description',
    'Payload',
    'PayloadTemplate',
    'Preprocessor',
    'MandatoryParameters',
    'RoleArn',
    'Deprecated',
    'Tags',
  ]);
  const commandId = textOf(properties, 'CommandId');
  if (commandId === undefined) throw new Error('CommandId: required, CloudFormation makes no name of its own');
  const { commandArn } = await cloud.call<{ commandArn: string }>(
    'iot',
    'CreateCommand',
    present({
      commandId,
      namespace: properties.Namespace,
      displayName: properties.DisplayName,
      description: properties.Description,
      payload: properties.Payload && payloadOf(properties.Payload as Properties),
      payloadTemplate: properties.PayloadTemplate,
      preprocessor: apiSpelling(properties.Preprocessor),
      mandatoryParameters: (properties.MandatoryParameters as readonly Properties[] | undefined)?.map(parameterOf),
      roleArn: properties.RoleArn,
      tags: properties.Tags,
    }),
  );
  if (booleanOf(properties, 'Deprecated') === true) await cloud.call('iot', 'UpdateCommand', { commandId, deprecated: true });
  return { ref: commandId, attributes: { CommandArn: commandArn } };
};

export const providers: Providers = { 'AWS::IoT::Command': command };
