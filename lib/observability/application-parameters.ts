import { CfnParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import {
  APPLICATION_PARAMETERS,
  APPLICATION_PARAMETER_NAMES,
  AUDIT_PARAMETERS,
  AUDIT_PARAMETER_NAMES,
  type Parameters,
  ROTATION_PARAMETERS,
  ROTATION_PARAMETER_NAMES,
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
    const descriptions = { ...APPLICATION_PARAMETERS, ...ROTATION_PARAMETERS, ...AUDIT_PARAMETERS };
    for (const name of [...APPLICATION_PARAMETER_NAMES, ...ROTATION_PARAMETER_NAMES, ...AUDIT_PARAMETER_NAMES]) {
      const value = values[name];
      if (value === undefined) continue; // its capability is off
      new CfnParameter(this, name, {
        name: applicationParameterName(prefix, name),
        type: 'String',
        value,
        description: descriptions[name],
      });
    }
  }
}
