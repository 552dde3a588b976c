import type { JobSettings } from './settings.js';

export interface JobTemplate {
  readonly jobTemplateId: string;
  readonly arn: string;
  readonly description: string;
  readonly document: string;
  readonly settings: JobSettings;
  readonly createdAtMs: number;
}
