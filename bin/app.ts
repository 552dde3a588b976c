#!/usr/bin/env node
/**
 * Configuration → stacks. Started by `cdk`, or directly: `CDK_OUTDIR=… FLEETWARDEN_CONFIG=… tsx bin/app.ts` writes the cloud assembly.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ConfigurationError, readConfiguration } from '../lib/config/read-configuration.js';
import { bundledHandlers } from '../lib/shared/handler-code.js';
import { addStacks } from '../lib/stacks/fleetwarden.js';

function main(): void {
  const { context } = JSON.parse(readFileSync(path.join(__dirname, '..', 'cdk.json'), 'utf8')) as { context: Record<string, unknown> };
  // The CLI brings the context of cdk.json with it, and its own takes precedence; a direct start has the same flags by this.
  const app = new App({ context, analyticsReporting: false });
  const configuration = readConfiguration(app.node.tryGetContext('fleetwarden'), process.env['FLEETWARDEN_CONFIG']);
  addStacks(app, { configuration, handlerCode: bundledHandlers() });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
}

try {
  main();
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
