#!/usr/bin/env node
/**
 * Configuration → stacks. Started by `cdk`, or directly: `CDK_OUTDIR=… FLEETWARDEN_CONFIG=… tsx bin/app.ts` writes the cloud assembly.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ConfigurationError, readConfiguration } from '../lib/config/read-configuration.js';
import { bundleHandlers } from '../lib/shared/handler-code.js';
import { addStacks } from '../lib/stacks/fleetwarden.js';

async function main(): Promise<void> {
  const { context } = JSON.parse(readFileSync(path.join(__dirname, '..', 'cdk.json'), 'utf8')) as { context: Record<string, unknown> };
  // The CLI brings the context of cdk.json with it, and its own takes precedence; a direct start has the same flags by this.
  const app = new App({ context, analyticsReporting: false });
  const configuration = readConfiguration(app.node.tryGetContext('fleetwarden'), process.env['FLEETWARDEN_CONFIG']);
  addStacks(app, { configuration, handlerCode: await bundleHandlers() });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
}

main().catch((error: unknown) => {
  // A person reads this one: no stack trace.
  console.error(error instanceof ConfigurationError ? error.message : error);
  process.exitCode = 1;
});
