/**
 * A policy statement whose resource ends in `*` needs a reason, said where the permission is given. The reason becomes the
 * acknowledgement of cdk-nag's rule AwsSolutions-IAM5 for exactly that resource on exactly that role: another wildcard on the same role
 * still fails the synthesis.
 */
import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

export function acknowledgeWildcards(scope: IConstruct, resources: readonly string[], reason: string): void {
  if (reason.length < 40) throw new RangeError(`reason of a wildcard: got "${reason}", expected a sentence that convinces a stranger`);
  // Runs after references between stacks are resolved: only then is the text known that the rule sees.
  scope.node.addValidation({
    validate() {
      for (const resource of resources) {
        Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${flatten(Stack.of(scope).resolve(resource))}]`, reason });
      }
      return [];
    },
  });
}

/** A resolved reference in the notation of cdk-nag: `<LogicalId.Arn>/index/*`. */
function flatten(node: unknown): string {
  if (typeof node === 'string') return node.replaceAll('${', '<').replaceAll('}', '>');
  if (typeof node !== 'object' || node === null) return '';
  if ('Fn::Join' in node) {
    const [delimiter, parts] = node['Fn::Join'] as [string, unknown[]];
    return parts.map(flatten).join(delimiter);
  }
  if ('Fn::GetAtt' in node) return `<${(node['Fn::GetAtt'] as unknown[]).map(flatten).join('.')}>`;
  if ('Fn::ImportValue' in node) return flatten(node['Fn::ImportValue']);
  if ('Ref' in node) return `<${flatten(node.Ref)}>`;
  return JSON.stringify(node);
}
