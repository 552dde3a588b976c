/** The order in which the resources of a template can be created: after all that they refer to or name in DependsOn. */
import type { Template } from './template.js';

/** Logical ids in creation order; `wanted` are those whose condition holds. Throws for a circle, naming it. */
export function creationOrder(template: Template, wanted: ReadonlySet<string>): readonly string[] {
  const order: string[] = [];
  const state = new Map<string, 'visiting' | 'done'>();
  const visit = (logicalId: string, path: readonly string[]): void => {
    if (state.get(logicalId) === 'done') return;
    if (state.get(logicalId) === 'visiting')
      throw new Error(`circular dependency: ${[...path.slice(path.indexOf(logicalId)), logicalId].join(' → ')}`);
    state.set(logicalId, 'visiting');
    const resource = template.Resources[logicalId]!;
    const needed = new Set([...[resource.DependsOn ?? []].flat(), ...references(resource.Properties)]);
    for (const other of needed) if (wanted.has(other) && other !== logicalId) visit(other, [...path, logicalId]);
    state.set(logicalId, 'done');
    order.push(logicalId);
  };
  for (const logicalId of wanted) visit(logicalId, []);
  return order;
}

/** Every name in Ref, Fn::GetAtt and Fn::Sub. Names of parameters are among them: the caller keeps resources only. */
function* references(value: unknown): Iterable<string> {
  if (value === null || typeof value !== 'object') return;
  if (Array.isArray(value)) {
    for (const item of value) yield* references(item);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    if (key === 'Ref' && typeof item === 'string') yield item;
    else if (key === 'Fn::GetAtt') yield String(Array.isArray(item) ? item[0] : item).split('.')[0]!;
    else if (key === 'Fn::Sub') {
      const pattern = String(Array.isArray(item) ? item[0] : item);
      for (const match of pattern.matchAll(/\$\{([^!}.]+)[^}]*\}/g)) yield match[1]!;
      yield* references(item);
    } else yield* references(item);
  }
}
