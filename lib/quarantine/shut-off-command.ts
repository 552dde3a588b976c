import { CfnCommand } from 'aws-cdk-lib/aws-iot';
import { Construct } from 'constructs';
import { COMMAND_PARAMETERS, shutOffCommandName, shutOffPayloadTemplate } from '../../domain/protocol/command.js';

/** The AWS IoT command by which a connected device is told to shut off. Its payload is made anew for each execution: a template and two parameters. */
export class ShutOffCommandResource extends Construct {
  constructor(scope: Construct, id: string, { prefix }: { readonly prefix: string }) {
    super(scope, id);
    new CfnCommand(this, 'Command', {
      commandId: shutOffCommandName(prefix),
      displayName: 'Fleetwarden: shut off',
      description: 'A device that misbehaves stops what it does, beside the job that asks for the same (docs/protocol.md)',
      namespace: 'AWS-IoT',
      payloadTemplate: shutOffPayloadTemplate(),
      preprocessor: { awsJsonSubstitution: { outputFormat: 'JSON' } },
      mandatoryParameters: COMMAND_PARAMETERS.map((name) => ({ name, type: 'STRING' })),
    });
  }
}
