/** What the regular look needs of its neighbours: what the steps need, and the workflows, which it begins again. */
import type { ContainmentWorkflows } from '../../ports/containment-work.js';
import type { StepPorts } from '../ports.js';

export interface WatchPorts extends StepPorts {
  readonly workflows: ContainmentWorkflows;
}
