/** A state machine as the account keeps it. */
import type { Definition } from './definition.js';

export interface LoggingConfiguration {
  readonly level?: string;
  readonly includeExecutionData?: boolean;
  readonly destinations?: readonly { readonly cloudWatchLogsLogGroup?: { readonly logGroupArn?: string } }[];
}

/** What an update changes; running executions go on with what they started with. */
export interface Revision {
  readonly definitionText: string;
  readonly definition: Definition;
  readonly roleArn: string;
  readonly logging: LoggingConfiguration;
  readonly tracing: boolean;
  readonly updatedAt: Date;
  /** Absent until the first update, as on AWS. */
  readonly revisionId?: string;
}

export interface StateMachine {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: Date;
  readonly tags: Map<string, string>;
  revision: Revision;
  /** DELETING until its running executions are over. */
  deleting: boolean;
}
