/** Settings of which an account has one in a region. They may be other people’s too: each is read, and only what is missing is added. */

/** Account configuration of Device Defender audit, as AWS IoT has it. */
export interface AuditConfiguration {
  readonly roleArn?: string;
  readonly target?: { readonly targetArn?: string; readonly roleArn?: string; readonly enabled: boolean };
  readonly checks: Readonly<Record<string, { readonly enabled: boolean; readonly configuration: Readonly<Record<string, string>> }>>;
}

/** What is not in it stays as it is (UpdateAccountAuditConfiguration is a patch, FACTS C3). */
export interface AuditConfigurationPatch {
  readonly roleArn?: string;
  readonly target?: { readonly targetArn: string; readonly roleArn: string };
  /** To be enabled, each with its configuration. */
  readonly checks: Readonly<Record<string, { readonly configuration?: Readonly<Record<string, string>> }>>;
}

export interface AccountSettings {
  auditConfiguration(): Promise<AuditConfiguration>;
  patchAuditConfiguration(patch: AuditConfigurationPatch): Promise<void>;
  /** Event types that are enabled. */
  enabledEvents(): Promise<ReadonlySet<string>>;
  enableEvents(types: readonly string[]): Promise<void>;
}

/** ARNs that this installation has ever put into a setting: those it may replace, also after it was torn down and built again. */
export interface SettingsRecord {
  ours(setting: string): Promise<ReadonlySet<string>>;
  remember(setting: string, arns: readonly string[]): Promise<void>;
}

/** How CloudFormation is told how a custom resource went. */
export interface CustomResourceAnswer {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason?: string;
  readonly PhysicalResourceId: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly Data?: Readonly<Record<string, string>>;
}

export interface CloudFormation {
  /** `url` is signed, and a secret: whoever has it can answer. */
  answer(url: string, answer: CustomResourceAnswer): Promise<void>;
}
