/** Templates of the application under test, without bundling: what a function's code is makes no difference to them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { ConfigurationDocument } from '../../lib/config/configuration.js';
import { parseConfiguration } from '../../lib/config/read-configuration.js';
import { addStacks } from '../../lib/stacks/fleetwarden.js';

const REPOSITORY = path.resolve(__dirname, '..', '..');

/** `context` of cdk.json: jest does not read it by itself, and without it the templates of test and synthesis differ. */
export const CONTEXT = (JSON.parse(readFileSync(path.join(REPOSITORY, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> })
  .context;

export const CREATED = { id: 'fleet', type: 'acm-pca', create: { commonName: 'Fleet Root CA' } } as const;
export const IMPORTED_ARN = 'arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/4a1f0d2e-6b3c-4d8f-9a57-0c2b1e7f3d64';

export interface Synthesised {
  readonly app: App;
  readonly stacks: ReturnType<typeof addStacks>;
  readonly stateTemplate: Template;
  readonly appTemplate: Template;
}

/** `document`: what a person would write. @default one created CA, everything else as it comes */
export function synthesise(document: Partial<ConfigurationDocument> = {}): Synthesised {
  const app = new App({ context: CONTEXT, analyticsReporting: false });
  const stacks = addStacks(app, {
    configuration: parseConfiguration({ trustAnchors: [CREATED], ...document }, 'test'),
    handlerCode: () => Code.fromInline('exports.handler = async () => {}'),
  });
  return { app, stacks, stateTemplate: Template.fromStack(stacks.state), appTemplate: Template.fromStack(stacks.app) };
}

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly DependsOn?: readonly string[];
}

/** Logical id → resource, of one type. */
export function ofType(template: Template, type: string): Record<string, Resource> {
  return template.findResources(type) as Record<string, Resource>;
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Principal?: Readonly<Record<string, unknown>>;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export function statementsOf(policy: Resource | undefined): readonly Statement[] {
  return (policy?.Properties['PolicyDocument'] as { Statement: readonly Statement[] } | undefined)?.Statement ?? [];
}

export const listOf = <T>(oneOrMany: T | readonly T[]): readonly T[] =>
  Array.isArray(oneOrMany) ? (oneOrMany as readonly T[]) : [oneOrMany as T];

/** An intrinsic as text, for comparing and searching: `{Ref: X}` → `<X>`. */
export function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(text).join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  if ('Fn::Join' in value) {
    const [delimiter, parts] = value['Fn::Join'] as [string, unknown[]];
    return parts.map(text).join(delimiter);
  }
  if ('Ref' in value) return `<${text(value.Ref)}>`;
  if ('Fn::GetAtt' in value) return `<${(value['Fn::GetAtt'] as unknown[]).map(text).join('.')}>`;
  if ('Fn::ImportValue' in value) return `<${text(value['Fn::ImportValue'])}>`;
  return JSON.stringify(value);
}
