import type { Alarms } from '../observability/alarms.js';
import type { StateStack } from '../stacks/state-stack.js';
import type { Installation } from './installation.js';

/** What the capabilities of the app stack are built from. */
export interface AppContext {
  readonly installation: Installation;
  readonly state: StateStack;
  readonly alarms: Alarms;
}
