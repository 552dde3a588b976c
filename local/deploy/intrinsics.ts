/**
 * Resolves the intrinsic functions of one template (CloudFormation template reference, "Intrinsic function reference"). A reference to
 * something that does not exist, and every construct that is not known, throws with its name: a template half understood would deploy
 * something else than CloudFormation does.
 */
import type { Created } from './provider.js';
import { cidrBlocks } from './cidr.js';
import type { Template } from './template.js';

export interface Surroundings {
  readonly stackName: string;
  readonly stackId: string;
  readonly accountId: string;
  readonly region: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Exported by stacks that were applied before. */
  readonly exports: ReadonlyMap<string, unknown>;
}

/** Stands for AWS::NoValue: the property or the element that it fills goes away. */
const NO_VALUE = Symbol('AWS::NoValue');

export class Intrinsics {
  private readonly created = new Map<string, Created>();
  private readonly pseudo: Readonly<Record<string, unknown>>;

  constructor(
    private readonly template: Template,
    private readonly around: Surroundings,
  ) {
    this.pseudo = {
      'AWS::AccountId': around.accountId,
      'AWS::Region': around.region,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': around.stackName,
      'AWS::StackId': around.stackId,
      'AWS::NotificationARNs': [],
      'AWS::NoValue': NO_VALUE,
    };
  }

  /** What a created resource answers to Ref and Fn::GetAtt from now on. */
  add(logicalId: string, created: Created): void {
    this.created.set(logicalId, created);
  }

  /** A value of the template with everything resolved. */
  resolve(value: unknown): unknown {
    const resolved = this.value(value);
    return resolved === NO_VALUE ? undefined : resolved;
  }

  condition(name: string): boolean {
    const definition = this.template.Conditions?.[name];
    if (definition === undefined) throw new Error(`condition ${name}: the template has none of this name`);
    return this.truth(definition);
  }

  private value(value: unknown): unknown {
    if (typeof value === 'string') return literal(value);
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map((item) => this.value(item)).filter((item) => item !== NO_VALUE);
    const entries = Object.entries(value);
    const [name, argument] = entries[0] ?? ['', undefined];
    if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::'))) return this.call(name, argument);
    if (entries.length === 1 && name === 'Condition' && typeof argument === 'string') return this.condition(argument);
    return Object.fromEntries(entries.map(([key, item]) => [key, this.value(item)]).filter(([, item]) => item !== NO_VALUE));
  }

  private call(name: string, argument: unknown): unknown {
    const list = (): unknown[] => this.list(name, argument);
    switch (name) {
      case 'Ref':
        return this.ref(String(argument));
      case 'Fn::GetAtt':
        return this.getAtt(argument);
      case 'Fn::Join': {
        const [separator, parts] = list();
        return this.items(name, parts).map(text(name)).join(String(separator));
      }
      case 'Fn::Sub':
        return this.sub(argument);
      case 'Fn::Select': {
        const [index, items] = list();
        const chosen = this.items(name, items)[Number(index)];
        if (chosen === undefined) throw new Error(`Fn::Select: no element ${String(index)} in ${JSON.stringify(items)}`);
        return chosen;
      }
      case 'Fn::Split': {
        const [separator, source] = list();
        return text(name)(source).split(String(separator));
      }
      case 'Fn::If': {
        const [condition, then, otherwise] = argument as unknown[];
        return this.value(this.condition(String(condition)) ? then : otherwise);
      }
      case 'Fn::Equals':
      case 'Fn::And':
      case 'Fn::Or':
      case 'Fn::Not':
        return this.truth({ [name]: argument });
      case 'Fn::FindInMap':
        return this.findInMap(argument as unknown[]);
      case 'Fn::ImportValue':
        return this.importValue(text(name)(this.value(argument)));
      case 'Fn::Base64':
        return Buffer.from(text(name)(this.value(argument))).toString('base64');
      case 'Fn::Length':
        return this.items(name, this.value(argument)).length;
      case 'Fn::ToJsonString':
        return JSON.stringify(this.value(argument));
      case 'Fn::GetAZs':
        return ['a', 'b', 'c'].map((zone) => this.around.region + zone);
      case 'Fn::Cidr': {
        const [block, count, bits] = list();
        return cidrBlocks(String(block), Number(count), Number(bits ?? 8));
      }
      default:
        throw new Error(`intrinsic function ${name} is not served by the desk's deployer`);
    }
  }

  private truth(definition: unknown): boolean {
    const [name, argument] = Object.entries(definition as Record<string, unknown>)[0] ?? ['', undefined];
    const all = (): boolean[] => (argument as unknown[]).map((part) => this.truth(part));
    switch (name) {
      case 'Condition':
        return this.condition(String(argument));
      case 'Fn::Equals': {
        const [left, right] = this.list(name, argument);
        // CloudFormation compares texts.
        return JSON.stringify(plain(left)) === JSON.stringify(plain(right));
      }
      case 'Fn::And':
        return all().every(Boolean);
      case 'Fn::Or':
        return all().some(Boolean);
      case 'Fn::Not':
        return !all()[0];
      default:
        throw new Error(`condition ${JSON.stringify(definition)}: expected Condition, Fn::Equals, Fn::And, Fn::Or or Fn::Not`);
    }
  }

  private ref(name: string): unknown {
    if (name in this.pseudo) return this.pseudo[name];
    if (this.template.Parameters?.[name]) {
      if (!(name in this.around.parameters))
        throw new Error(`Ref ${name}: the parameter has no default, and the deployer gives it no value`);
      return this.around.parameters[name];
    }
    return this.resource(name, 'Ref').ref;
  }

  private getAtt(argument: unknown): unknown {
    const [logicalId = '', ...rest] = Array.isArray(argument)
      ? argument.map((part) => text('Fn::GetAtt')(this.value(part)))
      : String(argument).split('.');
    const attribute = rest.join('.');
    const { attributes } = this.resource(logicalId, `Fn::GetAtt ${attribute} of`);
    if (attribute in attributes) return attributes[attribute];
    const type = this.template.Resources[logicalId]?.Type;
    throw new Error(
      `Fn::GetAtt: ${logicalId} (${type}) has no attribute ${attribute} at the desk; it has ${Object.keys(attributes).join(', ') || 'none'}`,
    );
  }

  private resource(logicalId: string, asker: string): Created {
    const created = this.created.get(logicalId);
    if (created) return created;
    const absent = this.template.Resources[logicalId] ? 'is not created (its condition is false)' : 'is not in the template';
    throw new Error(`${asker} ${logicalId}: this resource ${absent}`);
  }

  private sub(argument: unknown): string {
    const [pattern, variables] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, Record<string, unknown>];
    return literal(pattern).replace(/\$\{(!?)([^}]+)\}/g, (_whole, escaped: string, name: string) => {
      if (escaped) return `\${${name}}`;
      if (name in variables) return text('Fn::Sub')(this.value(variables[name]));
      return text('Fn::Sub')(name.includes('.') ? this.getAtt(name) : this.ref(name.trim()));
    });
  }

  private findInMap(argument: unknown[]): unknown {
    const [map, first, second] = argument.slice(0, 3).map((part) => text('Fn::FindInMap')(this.value(part)));
    const found = this.template.Mappings?.[map!]?.[first!]?.[second!];
    if (found !== undefined) return found;
    const fallback = (argument[3] as { DefaultValue?: unknown } | undefined)?.DefaultValue;
    if (fallback !== undefined) return this.value(fallback);
    throw new Error(`Fn::FindInMap: no ${map}.${first}.${second}`);
  }

  private importValue(name: string): unknown {
    if (!this.around.exports.has(name)) throw new Error(`Fn::ImportValue: no stack exports ${name}`);
    return this.around.exports.get(name);
  }

  private list(name: string, argument: unknown): unknown[] {
    return this.items(name, this.value(argument));
  }

  private items(name: string, value: unknown): unknown[] {
    if (!Array.isArray(value)) throw new Error(`${name}: got ${JSON.stringify(value)}, expected a list`);
    return value;
  }
}

/** Secrets are not at the desk, and a reference that stays in a value as text would be used as the value. */
function literal(value: string): string {
  if (value.includes('{{resolve:'))
    throw new Error(`dynamic reference ${value.slice(value.indexOf('{{'), 80)}: not served by the desk's deployer`);
  return value;
}

const plain = (value: unknown): unknown => (typeof value === 'number' || typeof value === 'boolean' ? String(value) : value);

const text =
  (name: string) =>
  (value: unknown): string => {
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    throw new Error(`${name}: got ${JSON.stringify(value)}, expected a text`);
  };
