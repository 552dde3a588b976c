/** Who misbehaves: one list of behaviours, judged by Device Defender Detect, by the built-in monitor, or by both; one topic on which they say so. */
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { runsBuiltIn, runsDetect } from '../config/behaviour-config.js';
import type { AppContext } from '../shared/app-context.js';
import { Monitor } from './monitor.js';
import { SecurityProfiles } from './security-profiles.js';
import { violationsTopic } from './violations-topic.js';

export class Behaviour extends Construct {
  /** Raw ViolationNotifications. */
  readonly violations: ITopic;
  /** Absent where the built-in monitor is off. */
  readonly monitor?: Monitor;
  /** Absent where Detect is off. */
  readonly profiles?: SecurityProfiles;

  constructor(scope: Construct, id: string, context: AppContext) {
    super(scope, id);
    const { prefix, behaviour: config } = context.installation.configuration;
    this.violations = violationsTopic(this, prefix);
    if (runsDetect(config)) this.profiles = new SecurityProfiles(this, 'Profiles', { prefix, config, topic: this.violations });
    if (runsBuiltIn(config)) this.monitor = new Monitor(this, 'Monitor', context, this.violations);
  }
}
