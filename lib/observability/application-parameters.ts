import { CfnParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import {
  APPLICATION_PARAMETERS,
  type ApplicationParameter,
  OPTIONAL_PARAMETERS,
  type OptionalParameter,
  type Parameters,
  applicationParameterName,
} from '../../domain/protocol/application-parameters.js';

export interface ApplicationParametersProps {
  readonly prefix: string;
  readonly values: Parameters;
}

/** Where the command line finds this installation. */
export class ApplicationParameters extends Construct {
  constructor(scope: Construct, id: string, { prefix, values }: ApplicationParametersProps) {
    super(scope, id);
    for (const [name, description] of Object.entries({ ...APPLICATION_PARAMETERS, ...OPTIONAL_PARAMETERS })) {
      const value = values[name as ApplicationParameter | OptionalParameter];
      if (value === undefined) continue; // its capability is off
      new CfnParameter(this, name, {
        name: applicationParameterName(prefix, name as ApplicationParameter | OptionalParameter),
        type: 'String',
        value,
        description,
      });
    }
  }
}
