import { CfnParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import {
  APPLICATION_PARAMETERS,
  APPLICATION_PARAMETER_NAMES,
  type ApplicationParameter,
  applicationParameterName,
} from '../../domain/protocol/application-parameters.js';

export interface ApplicationParametersProps {
  readonly prefix: string;
  readonly values: Readonly<Record<ApplicationParameter, string>>;
}

/** Where the command line finds this installation. */
export class ApplicationParameters extends Construct {
  constructor(scope: Construct, id: string, { prefix, values }: ApplicationParametersProps) {
    super(scope, id);
    for (const name of APPLICATION_PARAMETER_NAMES) {
      new CfnParameter(this, name, {
        name: applicationParameterName(prefix, name),
        type: 'String',
        value: values[name],
        description: APPLICATION_PARAMETERS[name],
      });
    }
  }
}
