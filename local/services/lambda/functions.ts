/** All functions of the account, and how callers name them: name, ARN, or ARN without its first parts. */
import type { Cloud, FunctionDefinition } from '../../cloud.js';
import { CodeStore } from '../../functions/code-store.js';
import type { PolicyDocument } from '../../iam/principal.js';
import { AwsError } from '../../models/service.js';
import { LambdaFunction } from './function.js';

export class Functions {
  private readonly byName = new Map<string, LambdaFunction>();
  private readonly code = new CodeStore();

  constructor(private readonly cloud: Cloud) {}

  arnOf(reference: string): string {
    return `arn:aws:lambda:${this.cloud.world.region}:${this.cloud.world.accountId}:function:${nameIn(reference)}`;
  }

  all(): readonly LambdaFunction[] {
    return [...this.byName.values()];
  }

  find(reference: string): LambdaFunction | undefined {
    return this.byName.get(nameIn(reference));
  }

  get(reference: string): LambdaFunction {
    const found = this.find(reference);
    if (!found) throw new AwsError('ResourceNotFoundException', `Function not found: ${this.arnOf(reference)}`, 404, { Type: 'User' });
    return found;
  }

  create(definition: FunctionDefinition): LambdaFunction {
    if (this.byName.has(definition.functionName))
      throw new AwsError('ResourceConflictException', `Function already exist: ${definition.functionName}`, 409);
    const created = new LambdaFunction(definition, this.cloud, this.code);
    this.byName.set(definition.functionName, created);
    return created;
  }

  /** The function policy that AddPermission builds, or nothing. */
  policyOf(reference: string): PolicyDocument | undefined {
    const statements = [...(this.find(reference)?.statements.values() ?? [])];
    return statements.length === 0 ? undefined : { Version: '2012-10-17', Statement: statements };
  }

  async stop(): Promise<void> {
    await Promise.all(this.all().map(async (lambda) => lambda.pool.stop()));
    this.code.remove();
  }
}

/** `name`, `name:$LATEST`, `123456789012:function:name`, or a whole ARN. The desk has no versions and aliases: every qualifier but $LATEST is refused. */
function nameIn(reference: string): string {
  const parts = reference.split(':');
  const at = parts.indexOf('function');
  const [name = '', qualifier] = at >= 0 ? parts.slice(at + 1) : parts;
  if (qualifier !== undefined && qualifier !== '$LATEST')
    throw new AwsError('ResourceNotFoundException', `Qualifier ${qualifier}: the desk has no versions and aliases`, 404);
  return name;
}
