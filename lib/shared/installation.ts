import type { Code } from 'aws-cdk-lib/aws-lambda';
import type { Configuration } from '../config/configuration.js';

/** The name of a bundled function: `<capability>-<entry>` of `lambda/<capability>/<entry>/handler.ts`. */
export type HandlerName =
  | 'revocation-sync'
  | 'revocation-fast'
  | 'revocation-revoke'
  | 'inventory-record'
  | 'inventory-reconcile'
  | 'audit-collect'
  | 'settings-merge'
  | 'rotation-start'
  | 'rotation-issue'
  | 'rotation-prove'
  | 'rotation-retire'
  | 'behaviour-watch'
  | 'behaviour-offline'
  | 'quarantine-intake'
  | 'quarantine-contain'
  | 'quarantine-release'
  | 'quarantine-watch'
  | 'signer-publish';

/** What every construct of one installation is given. */
export interface Installation {
  readonly configuration: Configuration;
  /** Code of a function. The application takes the bundles; a test of the templates need not. */
  readonly handlerCode: (name: HandlerName) => Code;
}
