/** Job templates (https://docs.aws.amazon.com/iot/latest/apireference/API_CreateJobTemplate.html): defaults for jobs. */
import type { Operation } from '../../../models/service.js';
import { JOB_LIMITS } from '../../../world/quotas.js';
import { conflict, invalidRequest, limitExceeded, notFound, notServed } from '../errors.js';
import { parseIotArn } from '../names.js';
import { page } from '../paging.js';
import type { IotState } from '../state.js';
import { setTags } from '../tags.js';
import { checkDescription, checkDocument, checkJobId, refuseUnserved } from './job-names.js';
import type { JobTemplate } from './job-template.js';
import { readSettings } from './settings.js';

function templateById(state: IotState, id: unknown): JobTemplate {
  const found = state.jobTemplates.get(checkJobId(id, 'jobTemplateId'));
  if (!found) throw notFound(`Job template ${String(id)} not found`);
  return found;
}

/** Templates of the account; those that AWS manages (`arn:aws:iot:<region>::jobtemplate/…`) are not served. */
export function templateByArn(state: IotState, arn: unknown): JobTemplate {
  const { resourceType, resourceId } = parseIotArn(arn);
  if (resourceType !== 'jobtemplate') throw invalidRequest(`Invalid jobTemplateArn: ${String(arn)}`);
  return templateById(state, resourceId);
}

export function jobTemplateOperations(state: IotState): Record<string, Operation> {
  return {
    CreateJobTemplate: (input) => {
      refuseUnserved(input);
      if (input.maintenanceWindows?.length) throw notServed('maintenance windows of a job template');
      const jobTemplateId = checkJobId(input.jobTemplateId, 'jobTemplateId');
      if (state.jobTemplates.has(jobTemplateId)) throw conflict(`Job template ${jobTemplateId} already exists`, jobTemplateId);
      if (state.jobTemplates.size >= JOB_LIMITS.jobTemplates) throw limitExceeded(`At most ${JOB_LIMITS.jobTemplates} job templates`);
      checkDescription(input.description);
      const model = input.jobArn === undefined ? undefined : state.jobs.get(parseIotArn(input.jobArn).resourceId);
      if (input.jobArn !== undefined && !model) throw notFound(`Job ${input.jobArn} not found`);
      const template: JobTemplate = {
        jobTemplateId,
        arn: state.arn(`jobtemplate/${jobTemplateId}`),
        description: input.description,
        document: checkDocument(input.document ?? model?.document),
        settings: { ...model?.settings, ...readSettings({ ...model?.settings, ...input }) },
        createdAtMs: state.now(),
      };
      state.jobTemplates.set(jobTemplateId, template);
      setTags(state, template.arn, input.tags);
      return { jobTemplateArn: template.arn, jobTemplateId };
    },
    DescribeJobTemplate: (input) => {
      const { arn, createdAtMs, settings, ...shown } = templateById(state, input.jobTemplateId);
      return { jobTemplateArn: arn, ...shown, ...settings, createdAt: new Date(createdAtMs) };
    },
    ListJobTemplates: (input) => {
      const { items, token } = page(
        [...state.jobTemplates.values()],
        (template) => template.jobTemplateId,
        input.nextToken,
        input.maxResults,
      );
      return {
        jobTemplates: items.map(({ arn, jobTemplateId, description, createdAtMs }) => ({
          jobTemplateArn: arn,
          jobTemplateId,
          description,
          createdAt: new Date(createdAtMs),
        })),
        ...(token ? { nextToken: token } : {}),
      };
    },
    DeleteJobTemplate: (input) => {
      const template = templateById(state, input.jobTemplateId);
      state.jobTemplates.delete(template.jobTemplateId);
      state.tags.delete(template.arn);
      return {};
    },
  };
}
