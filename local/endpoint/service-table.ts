import type { PolicyDocument } from '../iam/principal.js';
import type { AwsService } from '../models/service.js';

/** Before 2023, botocore and the AWS CLI signed requests to AWS IoT with this name; Debian still ships them. */
const FORMER_SIGNING_NAMES: Readonly<Record<string, string>> = { 'execute-api': 'iot' };

/** The services that take part, and the resource policies of whatever they own. */
export class ServiceTable {
  private readonly byName = new Map<string, AwsService>();
  private readonly bySigningName = new Map<string, AwsService>();

  add(service: AwsService): void {
    if (this.byName.has(service.name)) throw new Error(`service ${service.name}: added twice`);
    this.byName.set(service.name, service);
    for (const name of service.signingNames) this.bySigningName.set(name, service);
  }

  named(name: string): AwsService | undefined {
    return this.byName.get(name);
  }

  signedAs(name: string): AwsService | undefined {
    return this.bySigningName.get(FORMER_SIGNING_NAMES[name] ?? name);
  }

  all(): readonly AwsService[] {
    return [...this.byName.values()];
  }

  /** Policies of a resource by the third part of its ARN, which is the service's name. */
  resourcePolicies(resource: string): readonly PolicyDocument[] {
    return this.byName.get(resource.split(':')[2] ?? '')?.resourcePolicies?.(resource) ?? [];
  }
}
