/** AWS::StepFunctions::StateMachine (CloudFormation template reference, AWS Step Functions). */
import { booleanOf, onlyServed, present, textOf } from '../properties.js';
import type { Provider, Providers } from '../provider.js';

type Properties = Readonly<Record<string, unknown>>;

const stateMachine: Provider = async (properties, { cloud, physicalName }) => {
  onlyServed(properties, [
    'StateMachineName',
    'StateMachineType',
    'RoleArn',
    'Definition',
    'DefinitionString',
    'DefinitionSubstitutions',
    'LoggingConfiguration',
    'TracingConfiguration',
    'EncryptionConfiguration',
    'Tags',
  ]);
  const name = textOf(properties, 'StateMachineName') ?? physicalName(80);
  const tracing = properties.TracingConfiguration as Properties | undefined;
  const encryption = properties.EncryptionConfiguration as Properties | undefined;
  const tags = (properties.Tags ?? []) as readonly { readonly Key: string; readonly Value: string }[];
  const { stateMachineArn } = await cloud.call<{ stateMachineArn: string }>(
    'states',
    'CreateStateMachine',
    present({
      name,
      type: textOf(properties, 'StateMachineType'),
      roleArn: textOf(properties, 'RoleArn'),
      definition: substituted(definitionOf(properties), (properties.DefinitionSubstitutions ?? {}) as Properties),
      loggingConfiguration: logging(properties.LoggingConfiguration as Properties | undefined),
      tracingConfiguration: tracing && { enabled: booleanOf(tracing, 'Enabled') ?? false },
      encryptionConfiguration: encryption && { type: textOf(encryption, 'Type') },
      tags: tags.map(({ Key, Value }) => ({ key: Key, value: Value })),
    }),
  );
  return { ref: stateMachineArn, attributes: { Arn: stateMachineArn, Name: name } };
};

function definitionOf(properties: Properties): string {
  const text = textOf(properties, 'DefinitionString');
  if ((text === undefined) === (properties.Definition === undefined)) throw new Error('expected one of DefinitionString and Definition');
  return text ?? JSON.stringify(properties.Definition);
}

/** `${name}` in the text becomes the value as it is; what has no substitution stays. */
function substituted(text: string, substitutions: Properties): string {
  return text.replace(/\$\{([A-Za-z0-9]+)\}/g, (token, key: string) =>
    Object.hasOwn(substitutions, key) ? String(substitutions[key]) : token,
  );
}

interface Destination {
  readonly CloudWatchLogsLogGroup?: { readonly LogGroupArn?: string };
}

function logging(properties: Properties | undefined): Record<string, unknown> | undefined {
  if (!properties) return undefined;
  onlyServed(properties, ['Level', 'IncludeExecutionData', 'Destinations']);
  const destinations = (properties.Destinations ?? []) as readonly Destination[];
  return present({
    level: textOf(properties, 'Level'),
    includeExecutionData: booleanOf(properties, 'IncludeExecutionData'),
    destinations: destinations.map(({ CloudWatchLogsLogGroup: group }) => ({
      cloudWatchLogsLogGroup: present({ logGroupArn: group?.LogGroupArn }),
    })),
  });
}

export const providers: Providers = { 'AWS::StepFunctions::StateMachine': stateMachine };
