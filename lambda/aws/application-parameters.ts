import { GetParametersByPathCommand, type SSMClient } from '@aws-sdk/client-ssm';
import {
  APPLICATION_PARAMETERS,
  APPLICATION_PARAMETER_NAMES,
  OPTIONAL_PARAMETERS,
  applicationParameterPath,
  type ApplicationParameter,
  type OptionalParameter,
  type Parameters,
} from '../../domain/protocol/application-parameters.js';

const isName = (name: string): name is ApplicationParameter | OptionalParameter =>
  Object.hasOwn(APPLICATION_PARAMETERS, name) || Object.hasOwn(OPTIONAL_PARAMETERS, name);

/** Everything that an installation says about itself, by name. Throws when one is missing: half an installation is none. */
export async function readApplicationParameters(client: SSMClient, prefix: string): Promise<Parameters> {
  const path = applicationParameterPath(prefix);
  const found: Partial<Record<ApplicationParameter | OptionalParameter, string>> = {};
  let NextToken: string | undefined;
  do {
    const page = await client.send(new GetParametersByPathCommand({ Path: path, NextToken }));
    for (const { Name = '', Value } of page.Parameters ?? []) {
      const name = Name.slice(path.length + 1);
      if (isName(name) && Value !== undefined) found[name] = Value;
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  const missing = APPLICATION_PARAMETER_NAMES.filter((name) => found[name] === undefined);
  if (missing.length === APPLICATION_PARAMETER_NAMES.length) {
    const region = await client.config.region();
    throw new Error(
      `no installation "${prefix}" in region ${region}: got no SSM parameter below ${path}, expected those that its app stack writes; another --prefix or region?`,
    );
  }
  if (missing.length > 0)
    throw new Error(`installation "${prefix}": ${path} lacks ${missing.join(', ')}; expected what its app stack writes: deploy it again`);
  return found as Parameters;
}
