/**
 * `fleetwarden`: the command line for the people on call. Exit code 0: done. 1: refused, or nothing found. 2: not understood, or AWS cannot be
 * reached. Region, endpoint and credentials come from the environment, so the same commands work on AWS and, after `source .desk/env`, at the
 * desk. Each command is imported when it is called: `crl inspect` must not wait for the AWS SDK.
 */
import { Command } from 'commander';
import { DEFAULT_PREFIX } from '../../domain/protocol/application-parameters.js';
import type { Answer } from './answer.js';
import type { Application } from './application.js';
import { addCa } from './ca.js';
import { addCrlInspect } from './crl-inspect.js';
import { failureOf } from './failure.js';

interface Common {
  readonly prefix: string;
  readonly json?: boolean;
}

type Act<Options> = (application: Application, options: Options, target: string, second: string) => Promise<Answer>;

/** A command against an installation: `target` is its argument, where it has one, `second` the next. */
function command<Options extends Common>(name: string, description: string, act: Act<Options>): Command {
  const made = new Command(name)
    .exitOverride()
    .enablePositionalOptions() // an option after a subcommand is the subcommand's
    .description(description)
    .option('--prefix <name>', 'the installation: prefix of its stacks', DEFAULT_PREFIX)
    .option('--json', 'answer in JSON');
  return made.action(async () => {
    const options = made.opts<Options>();
    const { openApplication } = await import('./application.js');
    const answer = await act(await openApplication(options.prefix), options, made.args[0] ?? '', made.args[1] ?? '');
    process.stdout.write(`${options.json ? JSON.stringify(answer.json, undefined, 2) : answer.text()}\n`);
  });
}

function containmentCommands(): readonly Command[] {
  const oneThing = <Options extends Common>(name: string, description: string, act: Act<Options>): Command =>
    command<Options>(name, description, act).argument('<thing>', 'its name');
  return [
    oneThing<Common & { readonly reason: string; readonly response: string }>(
      'contain',
      'cut a thing off, and let it back for repair alone',
      async (application, options, thing) => (await import('./containments.js')).contain(application, thing, options),
    )
      .requiredOption('--reason <text>', 'why: it stands in its story')
      .option('--response <word>', 'shut-off, contain or deactivate', 'contain'),
    oneThing<Common & { readonly reason: string; readonly rekey?: boolean; readonly force?: boolean }>(
      'release',
      'give a contained thing back what was taken from it',
      async (application, options, thing) => (await import('./containments.js')).release(application, thing, options),
    )
      .requiredOption('--reason <text>', 'why: it stands in its story')
      .option('--rekey', 'only with a new key: the old certificate is superseded')
      .option('--force', 'also while a violation of it is in alarm'),
    oneThing<Common & { readonly hours: string }>(
      'extend',
      'lengthen the time box of a contained thing',
      async (application, { hours }, thing) => (await import('./containments.js')).extend(application, thing, hours),
    ).requiredOption('--hours <count>', 'from now on'),
    command('contained', 'everything that is contained, the oldest first', async (application) =>
      (await import('./containments.js')).listContained(application),
    ),
  ];
}

function program(): Command {
  const holds = command('holds', 'lists over the brake, and what was decided', async (application) =>
    (await import('./containment-commands.js')).listAllHolds(application),
  ).addCommand(
    command('show', 'one held list, whole', async (application, _options, hash) =>
      (await import('./containment-commands.js')).showAnyHold(application, hash),
    ).argument('<hash>', 'its hash, or at least 8 digits of the beginning'),
  );
  const oneCampaign = (name: string, description: string, act: Act<Common>): Command =>
    command(name, description, act).argument('<campaign>', 'its id: fleetwarden campaigns');
  const campaign = new Command('campaign')
    .exitOverride()
    .enablePositionalOptions()
    .description('one campaign of rotations')
    .addCommand(
      oneCampaign('show', 'how far its devices are', async (application, _options, id) =>
        (await import('./campaigns.js')).showCampaign(application, id),
      ),
    )
    .addCommand(
      oneCampaign('pause', 'devices that have not begun wait', async (application, _options, id) =>
        (await import('./campaigns.js')).controlCampaign(application, id, 'pause'),
      ),
    )
    .addCommand(
      oneCampaign('resume', 'devices that waited go on, in a campaign of their own', async (application, _options, id) =>
        (await import('./campaigns.js')).controlCampaign(application, id, 'resume'),
      ),
    )
    .addCommand(
      oneCampaign('cancel', 'nobody begins any more; what is not proved is taken back', async (application, _options, id) =>
        (await import('./campaigns.js')).controlCampaign(application, id, 'cancel'),
      ),
    );
  const decisions = {
    approve: command<Common & { readonly yes?: boolean }>(
      'approve',
      'approve a held list: it is carried out',
      async (application, { yes }, hash) => {
        const { confirmOnTerminal } = await import('./confirm.js');
        return (await import('./containment-commands.js')).approveAny(
          application,
          hash,
          yes ? () => Promise.resolve(true) : confirmOnTerminal,
        );
      },
    ).option('--yes', 'do not ask: the list has been read'),
    reject: command('reject', 'reject a held list: nothing on it is done', async (application, _options, hash) =>
      (await import('./containment-commands.js')).settleAny(application, hash, 'reject'),
    ),
    reopen: command('reopen', 'put a rejected list up for decision again', async (application, _options, hash) =>
      (await import('./containment-commands.js')).settleAny(application, hash, 'reopen'),
    ),
  };
  const all = [
    command<Common & { readonly count?: boolean }>(
      'status',
      'mode, stop, CRLs, inventory, held lists and queues',
      async (application, { count }) => (await import('./status.js')).status(application, { count: count === true }),
    ).option('--count', 'count the inventory by status (reads all of it)'),
    command('why', 'the history of one certificate', async (application, _options, target) =>
      (await import('./why.js')).why(application, target),
    ).argument('<target>', 'name of a thing, certificateId, or serial number'),
    holds,
    ...Object.values(decisions).map((made) => made.argument('<hash>', 'its hash, or at least 8 digits of the beginning')),
    ...containmentCommands(),
    command<Common & { readonly thing?: string }>('violations', 'what is in alarm, by whoever detected it', async (application, options) =>
      (await import('./violations.js')).listViolations(application, options),
    ).option('--thing <name>', 'only those of this thing'),
    command<Common & { readonly description?: string }>(
      'mark',
      'say what a violation was: one that is false or benign contains nobody',
      async (application, options, violation, state) =>
        (await import('./violations.js')).markViolation(application, violation, state, options),
    )
      .argument('<violation>', 'its id: fleetwarden violations')
      .argument('<state>', 'FALSE_POSITIVE, BENIGN_POSITIVE, TRUE_POSITIVE or UNKNOWN')
      .option('--description <text>', 'why'),
    command('rotate', 'a new certificate for one thing, now', async (application, _options, thing) =>
      (await import('./campaigns.js')).rotate(application, thing),
    ).argument('<thing>', 'its name'),
    command('campaigns', 'campaigns of rotations, the newest first', async (application) =>
      (await import('./campaigns.js')).listCampaigns(application),
    ),
    campaign,
    command('by-hand', 'certificates that people have to revoke at their CA', async (application) =>
      (await import('./by-hand.js')).listByHand(application),
    ).addCommand(
      command('done', 'the CA has revoked it', async (application, _options, given) =>
        (await import('./by-hand.js')).doneByHand(application, given),
      ).argument('<certificate>', 'its anchor and serial number: ANCHOR/SERIAL'),
    ),
    command<Common & { readonly check?: string; readonly limit: string }>(
      'findings',
      'what the audits have found and is not put right, the worst first',
      async (application, { check, limit }) =>
        (await import('./findings.js')).listFindings(application, { limit, ...(check !== undefined && { check }) }),
    )
      .option('--check <name>', 'only those of this audit check')
      .option('--limit <count>', 'at most so many', '100'),
    command<Common & { readonly check: string[] }>('audit', 'begin an audit on demand', async (application, { check }) =>
      (await import('./audit.js')).startAudit(application, check),
    ).option('--check <name...>', 'only these checks', []),
    command<Common & { readonly reason: string }>(
      'pause',
      'the emergency stop: nothing is changed any more',
      async (application, { reason }) => (await import('./control.js')).pause(application, reason),
    ).requiredOption('--reason <text>', 'why: everybody who finds the stop reads it'),
    command('resume', 'lift the emergency stop', async (application) => (await import('./control.js')).resume(application)),
    command('reconcile', 'compare the inventory with the whole registry now', async (application) =>
      (await import('./control.js')).reconcile(application),
    ),
    command('sweep', 'look at every known CRL now', async (application) => (await import('./control.js')).sweep(application)),
  ];
  const made = new Command('fleetwarden').description('Keeps an AWS IoT Core fleet trustworthy.').exitOverride().enablePositionalOptions();
  for (const one of all) made.addCommand(one);
  addCa(made);
  addCrlInspect(made);
  return made;
}

async function main(): Promise<void> {
  // People on call cannot act on the SDK's advice about this computer's Node.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  try {
    await program().parseAsync();
  } catch (error) {
    const { exitCode, text } = failureOf(error);
    if (text !== '') process.stderr.write(`${text}\n`);
    process.exitCode = exitCode;
  }
}

void main();
