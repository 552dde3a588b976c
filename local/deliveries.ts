import type { Cloud, Delivery, LambdaResult, World } from './cloud.js';
import type { DeskIam } from './iam/desk-iam.js';
import type { AccessDecision, AccessRequest, Principal } from './iam/principal.js';
import type { ServiceTable } from './endpoint/service-table.js';

interface Target {
  readonly accept: (delivery: Delivery) => Promise<LambdaResult | void>;
  readonly access: (delivery: Delivery) => AccessRequest;
}

/**
 * Service-to-service deliveries. The target's resource policy must let the delivering service in, with aws:SourceArn and aws:SourceAccount
 * as they are; where AWS assumes a role to deliver, the role's trust and its own policies decide.
 */
export class Deliveries {
  private readonly targets = new Map<string, Target>();

  constructor(
    private readonly world: World,
    private readonly iam: DeskIam,
    private readonly services: ServiceTable,
  ) {}

  add(arnService: string, ...[accept, access]: Parameters<Cloud['addTarget']> extends [string, ...infer Rest] ? Rest : never): void {
    if (this.targets.has(arnService)) throw new Error(`target ${arnService}: added twice`);
    this.targets.set(arnService, { accept, access });
  }

  mayDeliver(delivery: Delivery): AccessDecision {
    return this.decide(delivery, this.targetOf(delivery).access(delivery));
  }

  async deliver(delivery: Delivery): Promise<AccessDecision & { readonly result?: LambdaResult }> {
    const arnService = delivery.targetArn.split(':')[2] ?? '';
    const target = this.targetOf(delivery);
    const decision = this.decide(delivery, target.access(delivery));
    const what = `${delivery.service.split('.')[0]} → ${arnService}`;
    if (!decision.allowed) {
      this.world.journal.add({
        kind: 'denied',
        what,
        who: delivery.sourceArn,
        ok: false,
        detail: `${delivery.targetArn}: ${decision.why}`,
      });
      return decision;
    }
    const { copies, delayMs } = this.world.faults.delivery();
    if (copies > 1 || delayMs > 0)
      this.world.journal.add({ kind: 'fault', what, who: delivery.sourceArn, ok: true, detail: `copies ${copies}, delay ${delayMs} ms` });
    let result: LambdaResult | void = undefined;
    for (let copy = 0; copy < copies; copy++) {
      if (delayMs > 0) this.world.clock.after(delayMs, () => this.accept(target, delivery, what).then(() => undefined));
      else result = await this.accept(target, delivery, what);
    }
    return result ? { ...decision, result } : decision;
  }

  private targetOf(delivery: Delivery): Target {
    const target = this.targets.get(delivery.targetArn.split(':')[2] ?? '');
    if (target) return target;
    const known = [...this.targets.keys()].join(', ');
    throw new Error(`delivery from ${delivery.sourceArn}: got target '${delivery.targetArn}', expected one of ${known}`);
  }

  private async accept(target: Target, delivery: Delivery, what: string): Promise<LambdaResult | void> {
    try {
      const result = await target.accept(delivery);
      this.world.journal.add({ kind: 'delivery', what, who: delivery.sourceArn, ok: result?.ok ?? true, detail: delivery.targetArn });
      return result;
    } catch (error) {
      const detail = `${delivery.targetArn}: ${error instanceof Error ? error.message : String(error)}`;
      this.world.journal.add({ kind: 'delivery', what, who: delivery.sourceArn, ok: false, detail });
      throw error;
    }
  }

  private decide(delivery: Delivery, request: AccessRequest): AccessDecision {
    const policies = this.services.resourcePolicies(request.resource);
    if (delivery.roleArn !== undefined) {
      const trust = this.iam.trustsService(delivery.roleArn, delivery.service, delivery.sourceArn);
      if (!trust.allowed) return trust;
      const role: Principal = {
        kind: 'role',
        arn: delivery.roleArn,
        roleArn: delivery.roleArn,
        sessionName: delivery.service,
        accountId: this.world.accountId,
      };
      return this.iam.decide(role, request, policies);
    }
    const service: Principal = {
      kind: 'service',
      service: delivery.service,
      sourceArn: delivery.sourceArn,
      accountId: this.world.accountId,
    };
    return this.iam.decide(service, request, policies);
  }
}
