/** Everything that the registry of AWS IoT holds, in memory. One object, so that a reader sees the whole state on one screen. */
import type { PolicyDocument } from '../../iam/principal.js';
import type { Cloud } from '../../cloud.js';
import type { ReadCertificate } from './x509.js';
import { AuditState } from './audit/audit.js';
import { ConnectionHistory } from './audit/connection-history.js';
import { CommandState } from './commands/command.js';
import { DetectState } from './defender/detect.js';
import type { Job } from './jobs/job.js';
import type { JobTemplate } from './jobs/job-template.js';
import type { CompiledRule } from './rules/compile.js';

export type CertificateStatus = 'ACTIVE' | 'INACTIVE' | 'REVOKED' | 'PENDING_TRANSFER' | 'PENDING_ACTIVATION' | 'REGISTER_INACTIVE';

export interface RegisteredCertificate extends ReadCertificate {
  readonly arn: string;
  status: CertificateStatus;
  readonly caCertificateId?: string;
  readonly certificateMode: 'DEFAULT' | 'SNI_ONLY';
  readonly createdAtMs: number;
  modifiedAtMs: number;
  customerVersion: number;
  readonly generationId: string;
}

export interface RegisteredCa extends ReadCertificate {
  readonly arn: string;
  status: 'ACTIVE' | 'INACTIVE';
  autoRegistration: boolean;
  registrationConfig?: { readonly templateBody?: string; readonly templateName?: string; readonly roleArn?: string };
  readonly certificateMode: 'DEFAULT' | 'SNI_ONLY';
  readonly createdAtMs: number;
  modifiedAtMs: number;
  customerVersion: number;
  readonly generationId: string;
}

export interface Thing {
  readonly thingName: string;
  readonly thingId: string;
  readonly arn: string;
  thingTypeName?: string;
  attributes: Record<string, string>;
  version: number;
}

export interface ThingType {
  readonly thingTypeName: string;
  readonly thingTypeId: string;
  readonly arn: string;
  properties: Readonly<Record<string, unknown>>;
  readonly createdAtMs: number;
  deprecatedAtMs?: number;
}

/** Who is in a dynamic group. */
export interface GroupQuery {
  readonly indexName: string;
  readonly queryString: string;
  readonly queryVersion: string;
  readonly matches: (thing: Thing) => boolean;
}

export interface ThingGroup {
  readonly thingGroupName: string;
  readonly thingGroupId: string;
  readonly arn: string;
  readonly parentGroupName?: string;
  description?: string;
  attributes: Record<string, string>;
  version: number;
  readonly createdAtMs: number;
  /** A dynamic group has one, a static one has none. */
  query?: GroupQuery;
}

export interface PolicyVersion {
  readonly versionId: string;
  readonly text: string;
  readonly document: PolicyDocument;
  readonly createdAtMs: number;
}

export interface IotPolicy {
  readonly policyName: string;
  readonly arn: string;
  readonly versions: Map<string, PolicyVersion>;
  defaultVersionId: string;
  nextVersion: number;
  readonly createdAtMs: number;
  modifiedAtMs: number;
  readonly generationId: string;
  /** Documents as they come into force for connections: the last one whose time has come counts. */
  effective: { readonly fromMs: number; readonly document: PolicyDocument }[];
}

/** A policy on a certificate or a thing group. A detached one stays until its removal has come into force. */
export interface PolicyAttachment {
  readonly fromMs: number;
  untilMs?: number;
}

export interface TopicRule {
  readonly ruleName: string;
  readonly arn: string;
  readonly createdAtMs: number;
  compiled: CompiledRule;
}

/** A log level of a thing group, client, certificate or address. */
export interface LoggingLevel {
  readonly targetType: string;
  readonly targetName: string;
  readonly logLevel: string;
}

export interface IotOptions {
  /**
   * How long a change of policies takes to reach devices that have connected before: 6 to 8 minutes on AWS
   * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html). @default 0
   */
  readonly policyDelayMs?: number;
  /** How long after a certificate left ACTIVE its connections are cut, "within a few minutes" (API_UpdateCertificate). @default 180 000 */
  readonly statusDelayMs?: number;
}

export class IotState {
  readonly certificates = new Map<string, RegisteredCertificate>();
  readonly cas = new Map<string, RegisteredCa>();
  readonly things = new Map<string, Thing>();
  readonly thingTypes = new Map<string, ThingType>();
  readonly groups = new Map<string, ThingGroup>();
  readonly policies = new Map<string, IotPolicy>();
  readonly rules = new Map<string, TopicRule>();
  /** certificateId → thingName → exclusive. */
  readonly thingsOfCertificate = new Map<string, Map<string, boolean>>();
  readonly certificatesOfThing = new Map<string, Set<string>>();
  /** groupName → thing names, and back. */
  readonly thingsOfGroup = new Map<string, Set<string>>();
  readonly groupsOfThing = new Map<string, Set<string>>();
  /** target ARN (certificate or thing group) → policyName → attachment. */
  readonly attachments = new Map<string, Map<string, PolicyAttachment>>();
  readonly tags = new Map<string, Map<string, string>>();
  readonly jobs = new Map<string, Job>();
  readonly jobTemplates = new Map<string, JobTemplate>();
  readonly commands = new CommandState();
  readonly audit = new AuditState();
  readonly detect = new DetectState();
  readonly connections = new ConnectionHistory();
  /** A thing has joined or left a group, or is gone: continuous jobs look whether it is still theirs. */
  membershipChanged: (thingName: string) => void = () => undefined;
  /** A thing is new, or has another type or other attributes: dynamic groups look whether it is theirs. */
  thingChanged: (thingName: string) => void = () => undefined;
  /** Certificates whose policies a connection has used: for these AWS has them cached, so changes are late. */
  readonly seenByGateway = new Set<string>();
  readonly settings: {
    events?: { configurations: Record<string, { Enabled: boolean }>; createdAtMs: number; modifiedAtMs: number };
    logging?: {
      roleArn?: string;
      defaultLogLevel?: string;
      disableAllLogs?: boolean;
      eventConfigurations?: readonly Readonly<Record<string, string>>[];
    };
    /** Levels of single resources by `<type>:<name>`. */
    loggingLevels?: Map<string, LoggingLevel>;
    indexing?: { thing?: unknown; thingGroup?: unknown };
    registrationCode?: string;
  } = {};

  constructor(
    readonly cloud: Cloud,
    readonly options: IotOptions,
  ) {}

  arn(resource: string): string {
    const { partition, region, accountId } = this.cloud.world;
    return `arn:${partition}:iot:${region}:${accountId}:${resource}`;
  }
  now(): number {
    return this.cloud.world.clock.nowMs();
  }
}
