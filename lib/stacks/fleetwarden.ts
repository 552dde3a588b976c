import type { App } from 'aws-cdk-lib';
import type { Installation } from '../shared/installation.js';
import { AppStack } from './app-stack.js';
import { StateStack } from './state-stack.js';

/** The two stacks of one installation. Account and region are those of whoever deploys: nothing here knows them. */
export function addStacks(app: App, installation: Installation): { readonly state: StateStack; readonly app: AppStack } {
  const { configuration } = installation;
  const state = new StateStack(app, `${configuration.prefix}-state`, { configuration });
  return { state, app: new AppStack(app, `${configuration.prefix}-app`, { installation, state }) };
}
