/** `fleetwarden ca`: CAs whose keys we hold in AWS KMS (docs/signer.md). This file is imported by every command, so what it needs is imported when it is called. */
import { Command } from 'commander';
import { DEFAULT_PREFIX } from '../../domain/protocol/application-parameters.js';
import type { Answer } from './answer.js';
import type { CaCreateOptions } from './ca-create.js';
import type { CaRevokeOptions } from './ca-revoke.js';

interface Output {
  readonly json?: boolean;
}

const print = (answer: Answer, { json }: Output): void =>
  void process.stdout.write(`${json ? JSON.stringify(answer.json, undefined, 2) : answer.text()}\n`);

/** Adds `ca create` and `ca revoke` to the program. */
export function addCa(program: Command): void {
  const ca = program.command('ca').description('CAs whose keys are in AWS KMS').exitOverride().enablePositionalOptions();
  ca.command('create')
    .description('the certificate of a new CA, signed by its key in KMS: to be pinned in the configuration')
    .requiredOption('--key <arn>', 'ARN of the key: SIGN_VERIFY, ECC_NIST_P256, ECC_NIST_P384 or RSA')
    .requiredOption('--common-name <name>', 'common name of the CA, 1 to 64 characters')
    .option('--days <number>', 'how long it is valid; no certificate outlives it', '3650')
    .option('--out <file>', 'write it there; never over a file')
    .option('--json', 'answer in JSON')
    .action(async (options: CaCreateOptions & Output) => {
      const { createCa } = await import('./ca-create.js');
      const { wallClock } = await import('../runtime/clock.js');
      print(await createCa(wallClock, options), options);
    });
  ca.command('revoke')
    .description('revoke a certificate at such a CA: it comes on its next CRL')
    .argument('<serial>', 'serial number, hexadecimal')
    .requiredOption('--anchor <id>', 'id of the trust anchor')
    .requiredOption(
      '--reason <reason>',
      'keyCompromise, superseded, cessationOfOperation, affiliationChanged, privilegeWithdrawn or unspecified',
    )
    .option('--prefix <name>', 'the installation: prefix of its stacks', DEFAULT_PREFIX)
    .option('--json', 'answer in JSON')
    .action(async (serial: string, options: CaRevokeOptions & Output & { readonly prefix: string }) => {
      const { revokeAtCa } = await import('./ca-revoke.js');
      const { openApplication } = await import('./application.js');
      print(await revokeAtCa(await openApplication(options.prefix), serial, options), options);
    });
}
