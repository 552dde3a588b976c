import type { World } from '../cloud.js';
import type { DeskIam } from '../iam/desk-iam.js';
import type { AccessRequest, Principal } from '../iam/principal.js';
import type { OperationModel, ServiceModel } from '../models/model.js';
import { AwsError, type AwsService, type Call } from '../models/service.js';
import { problemsOf } from '../models/validate.js';
import type { ServiceTable } from './service-table.js';

export interface Performed {
  readonly output: Readonly<Record<string, unknown>>;
  /** The answer must not reach the caller: the work was done, the connection is to be cut. */
  readonly answerLost: boolean;
}

/** What happens between a decoded request and its answer, for calls over the wire and in process alike. */
export class Pipeline {
  constructor(
    private readonly world: World,
    private readonly iam: DeskIam,
    private readonly services: ServiceTable,
  ) {}

  /** validate → authorise → faults → operation → validate the answer → journal. Throws AwsError. */
  async perform(
    model: ServiceModel,
    operation: OperationModel,
    input: Record<string, unknown>,
    principal: Principal,
    requestId: string,
  ): Promise<Performed> {
    const what = `${model.name}:${operation.name}`;
    try {
      const service = this.served(model, operation);
      this.checkInput(model, operation, input);
      this.authorise(model, service, operation.name, input, principal);
      // A service of AWS repeats its own calls until they succeed; faults are for the callers that we write.
      const fault = principal.kind === 'service' ? 'none' : this.world.faults.request(what);
      if (fault !== 'none') this.world.journal.add({ kind: 'fault', what, who: nameOf(principal), ok: false, detail: fault });
      if (fault === 'throttle') throw new AwsError(model.words.throttling[0], 'Rate exceeded', model.words.throttling[1]);
      if (fault === 'serverError')
        throw new AwsError(model.words.internal[0], 'We encountered an internal error. Please try again.', model.words.internal[1]);
      const output = await this.run(model, service, operation, input, { operation: operation.name, principal, requestId });
      this.world.journal.add({ kind: 'call', what, who: nameOf(principal), ok: true });
      return { output, answerLost: fault === 'lostAnswer' };
    } catch (error) {
      this.record(what, principal, error, model);
      throw error;
    }
  }

  /** Past IAM and faults, for the deployer and the scenes. */
  async performAsAdministrator(
    model: ServiceModel,
    operation: OperationModel,
    input: Record<string, unknown>,
    requestId: string,
  ): Promise<Readonly<Record<string, unknown>>> {
    const service = this.served(model, operation);
    this.checkInput(model, operation, input);
    return this.run(model, service, operation, input, { operation: operation.name, principal: this.iam.administrator, requestId });
  }

  private served(model: ServiceModel, operation: OperationModel): AwsService {
    const service = this.services.named(model.name);
    if (!service || !Object.hasOwn(service.operations, operation.name)) {
      throw new AwsError('NotImplemented', `The desk does not serve ${model.name} ${operation.name}.`, 501);
    }
    return service;
  }

  private checkInput(model: ServiceModel, operation: OperationModel, input: Record<string, unknown>): void {
    const problems = problemsOf(operation.input, input);
    if (problems.length > 0) {
      const count = `${problems.length} validation error${problems.length > 1 ? 's' : ''} detected`;
      throw new AwsError(model.words.validation, `${count}: ${problems.slice(0, 10).join('; ')}`, 400);
    }
  }

  private authorise(
    model: ServiceModel,
    service: AwsService,
    operation: string,
    input: Record<string, unknown>,
    principal: Principal,
  ): void {
    for (const request of service.access(operation, input)) {
      const decision = this.iam.decide(principal, request, this.services.resourcePolicies(request.resource));
      if (!decision.allowed) throw denied(model, principal, request, decision.why);
    }
  }

  private async run(
    model: ServiceModel,
    service: AwsService,
    operation: OperationModel,
    input: Record<string, unknown>,
    call: Call,
  ): Promise<Readonly<Record<string, unknown>>> {
    const output = ((await service.operations[operation.name]?.(input, call)) ?? {}) as Readonly<Record<string, unknown>>;
    const problems = problemsOf(operation.output, output);
    // A wrong answer of the desk is the desk's fault, never the caller's: it must not pass for a valid one.
    if (problems.length > 0)
      throw new Error(`answer of ${model.name} ${operation.name} does not fit the model: ${problems.slice(0, 10).join('; ')}`);
    return output;
  }

  private record(what: string, principal: Principal, error: unknown, model: ServiceModel): void {
    const known = error instanceof AwsError;
    const kind = known && error.code === model.words.accessDenied[0] ? 'denied' : 'call';
    const detail = known ? `${error.code}: ${error.message}` : error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.world.journal.add({ kind, what, who: nameOf(principal), ok: false, detail });
  }
}

function denied(model: ServiceModel, principal: Principal, request: AccessRequest, why: string): AwsError {
  const [code, status] = model.words.accessDenied;
  const who = principal.kind === 'service' ? principal.service : principal.arn;
  return new AwsError(code, `User: ${who} is not authorized to perform: ${request.action} on resource: ${request.resource} ${why}`, status);
}

/** Who, in a word, for the journal. */
export function nameOf(principal: Principal): string {
  if (principal.kind === 'administrator') return 'administrator';
  return principal.kind === 'service' ? principal.service : principal.sessionName || (principal.roleArn.split('/').pop() ?? '');
}
