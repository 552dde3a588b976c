/** AWS Systems Manager Parameter Store: String, StringList and SecureString parameters with versions, as far as the application and its tools read them. */
import type { Cloud } from '../../cloud.js';
import type { AccessRequest } from '../../iam/principal.js';
import { AwsError, type AwsService } from '../../models/service.js';
import { inPages } from '../pages.js';
import { compileFilter, type ParameterFilter } from './filters.js';

interface Parameter {
  readonly Name: string;
  readonly Type: string;
  readonly Value: string;
  readonly Version: number;
  readonly LastModifiedDate: Date;
  readonly ARN: string;
  readonly DataType: string;
  readonly Description?: string;
  readonly Tier: string;
  readonly tags: Map<string, string>;
}

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

interface PutInput {
  readonly Name: string;
  readonly Value: string;
  readonly Type?: string;
  readonly Description?: string;
  readonly Overwrite?: boolean;
  readonly DataType?: string;
  readonly Tier?: string;
  readonly Tags?: readonly Tag[];
}

interface OfResource {
  readonly ResourceType: string;
  readonly ResourceId: string;
}

/** Standard tier; the advanced one takes 8 KiB (SSM user guide, "Managing parameter tiers"). */
const LARGEST_VALUE = { Standard: 4096, Advanced: 8192, 'Intelligent-Tiering': 8192 } as const;
const NAME = /^[a-zA-Z0-9_.\-/]{1,1011}$/;
/** GetParameters takes ten names, GetParametersByPath answers ten a page at most. */
const LARGEST_BATCH = 10;

export function createSsm(cloud: Cloud): AwsService {
  const { world } = cloud;
  const parameters = new Map<string, Parameter>();
  const arnOf = (name: string): string =>
    `arn:${world.partition}:ssm:${world.region}:${world.accountId}:parameter${name.startsWith('/') ? '' : '/'}${name}`;
  /** Callers may give the ARN in place of the name. */
  const nameOf = (nameOrArn: string): string => {
    if (!nameOrArn.startsWith('arn:')) return nameOrArn;
    const path = nameOrArn.split(':parameter')[1] ?? '';
    return parameters.has(path) ? path : path.slice(1);
  };
  const found = (nameOrArn: string): Parameter | undefined => parameters.get(nameOf(nameOrArn));
  const read = (parameter: Parameter): Record<string, unknown> => {
    const { Name, Type, Value, Version, LastModifiedDate, ARN, DataType } = parameter;
    return { Name, Type, Value, Version, LastModifiedDate, ARN, DataType };
  };
  const describe = (parameter: Parameter): Record<string, unknown> => {
    const { Name, ARN, Type, Version, LastModifiedDate, DataType, Tier, Description } = parameter;
    return { Name, ARN, Type, Version, LastModifiedDate, DataType, Tier, ...(Description === undefined ? {} : { Description }) };
  };
  const get = (nameOrArn: string): Parameter => {
    // `name:3` selects a version; the desk keeps the last one only.
    const [, base = nameOrArn, version] = /^((?:arn:[^/]*)?[^:]+):(\d+)$/.exec(nameOrArn) ?? [];
    const parameter = found(base);
    if (!parameter) throw new AwsError('ParameterNotFound', `Parameter ${nameOrArn} not found.`);
    if (version !== undefined && Number(version) !== parameter.Version)
      throw new AwsError('ParameterVersionNotFound', `Systems Manager could not find version ${version} of ${base}.`);
    return parameter;
  };

  const tagsOf = ({ ResourceType, ResourceId }: OfResource): Map<string, string> => {
    if (ResourceType !== 'Parameter')
      throw new AwsError('InvalidResourceType', `ResourceType: got ${ResourceType}, the desk has parameters only`);
    const parameter = found(ResourceId);
    if (!parameter)
      throw new AwsError('InvalidResourceId', 'The resource ID is not valid. Verify that you entered the correct ID and try again.');
    return parameter.tags;
  };

  const put = (input: PutInput): Record<string, unknown> => {
    const tier = (input.Tier ?? 'Standard') as keyof typeof LARGEST_VALUE;
    if (!NAME.test(input.Name) || /^\/?(aws|ssm)/i.test(input.Name))
      throw new AwsError(
        'ValidationException',
        `Parameter name: got '${input.Name}', expected letters, digits and _.-/ and no reserved prefix`,
      );
    if (Buffer.byteLength(input.Value) > (LARGEST_VALUE[tier] ?? 0)) {
      throw new AwsError(
        'ValidationException',
        `${tier} tier parameters support a maximum parameter value of ${LARGEST_VALUE[tier]} characters.`,
      );
    }
    const existing = parameters.get(input.Name);
    if (input.Tags && input.Overwrite)
      throw new AwsError('ValidationException', "Invalid request: tags and overwrite can't be used together. Use AddTagsToResource.");
    if (existing && !input.Overwrite)
      throw new AwsError(
        'ParameterAlreadyExists',
        'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
      );
    if (!existing && input.Type === undefined)
      throw new AwsError('ValidationException', 'A parameter type is required when you create a parameter.');
    if (existing && input.Type !== undefined && input.Type !== existing.Type) {
      throw new AwsError('HierarchyTypeMismatchException', 'Parameter Store does not support changing a parameter type in a hierarchy.');
    }
    const parameter: Parameter = {
      Name: input.Name,
      Type: input.Type ?? existing?.Type ?? 'String',
      Value: input.Value,
      Version: (existing?.Version ?? 0) + 1,
      LastModifiedDate: world.clock.date(),
      ARN: arnOf(input.Name),
      DataType: input.DataType ?? existing?.DataType ?? 'text',
      ...(input.Description === undefined ? {} : { Description: input.Description }),
      Tier: tier,
      tags: existing?.tags ?? new Map((input.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
    };
    parameters.set(input.Name, parameter);
    return { Version: parameter.Version, Tier: parameter.Tier };
  };

  const byPath = (input: { Path: string; Recursive?: boolean; MaxResults?: number; NextToken?: string }): Record<string, unknown> => {
    const prefix = input.Path.endsWith('/') ? input.Path : `${input.Path}/`;
    const inside = [...parameters.values()]
      .filter((parameter) => parameter.Name.startsWith(prefix) && (input.Recursive || !parameter.Name.slice(prefix.length).includes('/')))
      .sort((a, b) => (a.Name < b.Name ? -1 : 1));
    const { page, nextToken } = inPages(inside, input.MaxResults ?? LARGEST_BATCH, input.NextToken);
    return { Parameters: page.map(read), ...(nextToken === undefined ? {} : { NextToken: nextToken }) };
  };

  return {
    name: 'ssm',
    signingNames: ['ssm'],
    operations: {
      PutParameter: put,
      GetParameter: (input: { Name: string }) => ({ Parameter: read(get(input.Name)) }),
      GetParameters: (input: { Names: readonly string[] }) => {
        if (input.Names.length > LARGEST_BATCH)
          throw new AwsError('ValidationException', `Names: got ${input.Names.length}, expected at most ${LARGEST_BATCH}`);
        const known = input.Names.filter((name) => found(name) !== undefined);
        return { Parameters: known.map((name) => read(get(name))), InvalidParameters: input.Names.filter((name) => !known.includes(name)) };
      },
      GetParametersByPath: byPath,
      DeleteParameter: (input: { Name: string }) => {
        parameters.delete(get(input.Name).Name);
        return {};
      },
      DescribeParameters: (input: { MaxResults?: number; NextToken?: string; ParameterFilters?: readonly ParameterFilter[] }) => {
        const passes = (input.ParameterFilters ?? []).map(compileFilter);
        const all = [...parameters.values()].filter((parameter) => passes.every((pass) => pass(parameter)));
        const { page, nextToken } = inPages(all, input.MaxResults ?? 50, input.NextToken);
        return {
          Parameters: page.map(describe),
          ...(nextToken === undefined ? {} : { NextToken: nextToken }),
        };
      },
      DeleteParameters: (input: { Names: readonly string[] }) => {
        const known = input.Names.filter((name) => found(name) !== undefined);
        for (const name of known) parameters.delete(nameOf(name));
        return { DeletedParameters: known, InvalidParameters: input.Names.filter((name) => !known.includes(name)) };
      },
      ListTagsForResource: (input: OfResource) => ({ TagList: [...tagsOf(input)].map(([Key, Value]) => ({ Key, Value })) }),
      AddTagsToResource: (input: OfResource & { Tags: readonly Tag[] }) => {
        for (const { Key, Value } of input.Tags) tagsOf(input).set(Key, Value);
        return {};
      },
      RemoveTagsFromResource: (input: OfResource & { TagKeys: readonly string[] }) => {
        for (const key of input.TagKeys) tagsOf(input).delete(key);
        return {};
      },
    },
    access: (operation, input): readonly AccessRequest[] => {
      const action = `ssm:${operation}`;
      if (operation === 'DescribeParameters') return [{ action, resource: '*' }];
      if (operation === 'GetParameters' || operation === 'DeleteParameters')
        return (input['Names'] as readonly string[]).map((name) => ({ action, resource: arnOf(nameOf(name)) }));
      if (operation === 'GetParametersByPath')
        return [
          {
            action,
            resource: arnOf(String(input['Path']).replace(/\/$/, '')),
            context: { 'ssm:Recursive': input['Recursive'] === true ? 'true' : 'false' },
          },
        ];
      if (typeof input['ResourceId'] === 'string') return [{ action, resource: arnOf(nameOf(input['ResourceId'])) }];
      return [{ action, resource: arnOf(nameOf(String(input['Name']))) }];
    },
  };
}
