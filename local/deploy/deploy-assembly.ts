/**
 * Applies the stacks of a CDK cloud assembly to the desk, as they were synthesised: no template is changed, no resource is left out in
 * silence. Resources are created one after the other in the order of their dependencies; there is no update and no roll-back, because a
 * desk starts empty.
 */
import type { Cloud } from '../cloud.js';
import { type AssemblyStack, readAssembly } from './assembly.js';
import { CustomResources, isCustom } from './custom-resources.js';
import { creationOrder } from './creation-order.js';
import { Intrinsics } from './intrinsics.js';
import { physicalName } from './physical-name.js';
import type { Created, ProviderContext, Providers } from './provider.js';
import { PROVIDERS } from './providers/index.js';
import type { Template } from './template.js';

export interface DeployProgress {
  readonly stackName: string;
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string;
  /** How many of the resources of all stacks are there. */
  readonly done: number;
  readonly total: number;
}

/** Outputs by stack name. */
export type StackOutputs = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The CDK's own usage record: nothing on AWS comes of it. */
const IGNORED_TYPES = ['AWS::CDK::Metadata'];

export async function deployAssembly(
  cloud: Cloud,
  assemblyDirectory: string,
  onProgress?: (progress: DeployProgress) => void,
  providers: Providers = PROVIDERS,
): Promise<StackOutputs> {
  const { accountId, region } = cloud.world;
  const stacks = readAssembly(assemblyDirectory, accountId, region);
  checkTypes(stacks, providers);
  const customResources = new CustomResources(cloud);
  const deployment: Deployment = {
    cloud,
    providers,
    customResources,
    exports: new Map(),
    onProgress,
    done: 0,
    total: stacks.reduce((sum, { template }) => sum + resourceIds(template).length, 0),
  };
  const outputs: Record<string, Record<string, unknown>> = {};
  try {
    for (const stack of stacks) outputs[stack.stackName] = await deployStack(deployment, stack);
  } finally {
    await customResources.close();
  }
  return outputs;
}

interface Deployment {
  readonly cloud: Cloud;
  readonly providers: Providers;
  readonly customResources: CustomResources;
  readonly exports: Map<string, unknown>;
  readonly onProgress: ((progress: DeployProgress) => void) | undefined;
  done: number;
  total: number;
}

const resourceIds = (template: Template): string[] =>
  Object.keys(template.Resources).filter((logicalId) => !IGNORED_TYPES.includes(template.Resources[logicalId]!.Type));

/** All types without a provider at once, before anything is created. */
function checkTypes(stacks: readonly AssemblyStack[], providers: Providers): void {
  const types = new Set(stacks.flatMap(({ template }) => resourceIds(template).map((logicalId) => template.Resources[logicalId]!.Type)));
  const missing = [...types].filter((type) => !providers[type] && !isCustom(type)).sort();
  if (missing.length > 0) throw new Error(`resource types that the desk does not serve: ${missing.join(', ')}`);
  const transformed = stacks.find(({ template }) => template.Transform !== undefined);
  if (transformed) throw new Error(`stack ${transformed.stackName}: macros (Transform) are not served by the desk`);
}

async function deployStack(deployment: Deployment, { stackName, template, assets }: AssemblyStack): Promise<Record<string, unknown>> {
  const { cloud, exports } = deployment;
  const { accountId, region } = cloud.world;
  const stackId = `arn:aws:cloudformation:${region}:${accountId}:stack/${stackName}/00000000-0000-4000-8000-000000000000`;
  const parameters = await parameterValues(cloud, template);
  const intrinsics = new Intrinsics(template, { stackName, stackId, accountId, region, parameters, exports });
  const wanted = new Set(resourceIds(template).filter((logicalId) => holds(intrinsics, template.Resources[logicalId]!.Condition)));
  deployment.total -= resourceIds(template).length - wanted.size;
  for (const logicalId of creationOrder(template, wanted)) {
    const { type, created } = await create(deployment, intrinsics, { stackName, stackId, template, assets }, logicalId);
    intrinsics.add(logicalId, created);
    deployment.done++;
    deployment.onProgress?.({ stackName, logicalId, type, physicalId: created.ref, done: deployment.done, total: deployment.total });
  }
  return outputsOf(intrinsics, template, exports, stackName);
}

interface Place extends AssemblyStack {
  readonly stackId: string;
}

async function create(
  deployment: Deployment,
  intrinsics: Intrinsics,
  { stackName, stackId, template, assets }: Place,
  logicalId: string,
): Promise<{ type: string; created: Created }> {
  const { Type: type, Properties = {} } = template.Resources[logicalId]!;
  const context: ProviderContext = {
    cloud: deployment.cloud,
    stackName,
    logicalId,
    physicalName: (maxLength, options) => physicalName(stackName, logicalId, maxLength, options),
    assetDirectory: (hash) => {
      const directory = assets.get(hash);
      if (directory === undefined) throw new Error(`asset ${hash}: not in the assembly (it has ${[...assets.keys()].join(', ')})`);
      return directory;
    },
  };
  try {
    const properties = intrinsics.resolve(Properties) as Readonly<Record<string, unknown>>;
    const provider = deployment.providers[type];
    const created = provider
      ? await provider(properties, context)
      : await deployment.customResources.create(stackId, logicalId, type, properties);
    return { type, created };
  } catch (error) {
    throw new Error(`${stackName}/${logicalId} (${type}): ${(error as Error).message}`, { cause: error });
  }
}

const holds = (intrinsics: Intrinsics, condition: string | undefined): boolean =>
  condition === undefined || intrinsics.condition(condition);

/**
 * Defaults, and values of SSM parameters. The bootstrap version is not looked up: it says whether the account has the bucket to which the CDK
 * uploads assets; the desk reads assets from the assembly, and only the template's Rules, which are for a person's deployment, refer to it.
 */
async function parameterValues(cloud: Cloud, template: Template): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, { Type, Default }] of Object.entries(template.Parameters ?? {})) {
    if (name === 'BootstrapVersion' || Default === undefined) continue;
    if (!Type.startsWith('AWS::SSM::Parameter::Value'))
      values[name] = Type.startsWith('List<') || Type === 'CommaDelimitedList' ? String(Default).split(',') : Default;
    else {
      const { Parameter } = await cloud.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name: Default });
      values[name] = Type.includes('<List<') ? Parameter.Value.split(',') : Parameter.Value;
    }
  }
  return values;
}

function outputsOf(intrinsics: Intrinsics, template: Template, exports: Map<string, unknown>, stackName: string): Record<string, unknown> {
  const outputs: Record<string, unknown> = {};
  for (const [name, output] of Object.entries(template.Outputs ?? {})) {
    if (!holds(intrinsics, output.Condition)) continue;
    outputs[name] = intrinsics.resolve(output.Value);
    if (!output.Export) continue;
    const exported = String(intrinsics.resolve(output.Export.Name));
    if (exports.has(exported)) throw new Error(`stack ${stackName}: export ${exported} exists already`);
    exports.set(exported, outputs[name]);
  }
  return outputs;
}
