import type { Cloud } from '../cloud.js';

/** What a created resource answers to Ref and Fn::GetAtt. */
export interface Created {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface ProviderContext {
  readonly cloud: Cloud;
  readonly stackName: string;
  readonly logicalId: string;
  /** A physical name for a resource that the template does not name: deterministic, `<stack>-<logicalId>-<hash>`, cut to `maxLength`. */
  physicalName(this: void, maxLength: number, options?: { readonly lowerCase?: boolean; readonly separator?: '-' | '_' }): string;
  /** The folder of a file asset, by its hash (the `Code.S3Key` of a function without `.zip`). */
  assetDirectory(this: void, hash: string): string;
}

/** Creates one resource of one CloudFormation type from its resolved properties. Unknown properties that would change behaviour must throw, not be ignored. */
export type Provider = (properties: Readonly<Record<string, unknown>>, context: ProviderContext) => Created | Promise<Created>;
export type Providers = Readonly<Record<string, Provider>>;
