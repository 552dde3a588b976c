/**
 * How the parts of the desk see each other: one interface per service, no part imports another's folder. `local/desk.ts` builds them in order.
 * An ARN is the only address that crosses a service boundary, and every service-to-service delivery goes through `deliver`, which
 * checks the target's resource policy with aws:SourceArn and aws:SourceAccount as AWS does.
 */
import type { AccessDecision, AccessRequest, PolicyDocument, Principal } from './iam/principal.js';
import type { AwsService } from './models/service.js';
import type { DeskClock } from './world/clock.js';
import type { Faults } from './world/faults.js';

export interface World {
  readonly clock: DeskClock;
  readonly faults: Faults;
  readonly accountId: string;
  readonly region: string;
  readonly partition: 'aws';
  /** What happened, for the terminal, the page and the tests: API calls, deliveries, denials, connections. Bounded ring. */
  readonly journal: Journal;
}

export interface JournalEntry {
  readonly atMs: number;
  readonly kind: 'call' | 'delivery' | 'denied' | 'function' | 'connection' | 'alarm' | 'crl' | 'fault';
  /** `iot:UpdateCertificate`, `events → sqs`, `connected` … */
  readonly what: string;
  /** Who: function name, administrator, service, client id. */
  readonly who: string;
  readonly ok: boolean;
  readonly detail?: string;
}

export interface Journal {
  add(entry: Omit<JournalEntry, 'atMs'>): void;
  entries(): readonly JournalEntry[];
  /** Calls so far by `service:Operation` (all, also what has left the ring). */
  counts(): ReadonlyMap<string, number>;
  on(listener: (entry: JournalEntry) => void): () => void;
}

export interface Iam {
  createRole(
    name: string,
    trust: PolicyDocument,
    policies: readonly PolicyDocument[],
    managedPolicyArns: readonly string[],
  ): { readonly arn: string; readonly roleId: string };
  /** A managed policy of the account, to be attached to roles by its ARN. */
  createManagedPolicy(name: string, document: PolicyDocument): { readonly arn: string; readonly policyId: string };
  /** Inline or attached policy documents added to an existing role. */
  addPolicy(roleName: string, document: PolicyDocument): void;
  /** Credentials for a service assuming a role; throws AccessDenied when the role's trust policy does not let `service` in. */
  assume(
    roleArn: string,
    service: string,
    sessionName: string,
    sourceArn?: string,
  ): { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string };
  principalOf(accessKeyId: string): Principal | undefined;
  decide(principal: Principal, request: AccessRequest, resourcePolicies: readonly PolicyDocument[]): AccessDecision;
  /** What a role may do by its own policies only: for service-linked polling (event source mappings). */
  roleAllows(roleArn: string, request: AccessRequest): AccessDecision;
}

/** An event on the default bus, before EventBridge adds version, id, account, region and time. */
export interface BusEvent {
  readonly source: string;
  readonly 'detail-type': string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

export interface Delivery {
  /** Service principal, `events.amazonaws.com`. */
  readonly service: string;
  readonly sourceArn: string;
  readonly targetArn: string;
  readonly payload: unknown;
  /** Where AWS assumes a role to deliver (Scheduler, IoT rule actions to SQS …): checked instead of the resource policy. */
  readonly roleArn?: string;
  /** What the target's message carries beside the payload: attributes and FIFO ids of an SQS message, the subject of an SNS message, the partition key of a Kinesis record. */
  readonly message?: {
    readonly subject?: string;
    readonly attributes?: Readonly<Record<string, string>>;
    readonly groupId?: string;
    readonly deduplicationId?: string;
    readonly partitionKey?: string;
  };
}

/** One value of one metric, as a service of AWS publishes it. `atMs` defaults to now. */
export interface MetricValue {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
  readonly unit?: string;
  readonly atMs?: number;
}

/** A function as its template describes it. `directory` holds the unpacked code asset. */
export interface FunctionDefinition {
  readonly functionName: string;
  readonly roleArn: string;
  readonly handler: string;
  readonly runtime: string;
  readonly directory: string;
  readonly codeSha256: string;
  readonly description?: string;
  readonly timeoutSeconds?: number;
  readonly memoryMiB?: number;
  readonly ephemeralStorageMiB?: number;
  readonly architectures?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly reservedConcurrency?: number;
  readonly deadLetterArn?: string;
  readonly logGroup?: string;
  readonly logFormat?: 'Text' | 'JSON';
  readonly tracingMode?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface LambdaResult {
  readonly ok: boolean;
  readonly payload: unknown;
  readonly errorType?: string;
  readonly errorMessage?: string;
}

/** The registry as the gateway sees it. */
export interface IotRegistry {
  certificate(certificateId: string): { readonly status: string; readonly pem: string; readonly caCertificateId?: string } | undefined;
  /** Things attached to a certificate, and whether exclusively. */
  thingsOf(certificateId: string): readonly {
    readonly thingName: string;
    readonly exclusive: boolean;
    readonly thingTypeName?: string;
    readonly attributes: Readonly<Record<string, string>>;
  }[];
  /** Policies in force for a connection: the certificate's, and those of the thing's groups where AWS applies them. Policy text becomes effective after the delay that AWS has (FACTS 0.10), unless the desk was told otherwise. */
  policiesOf(certificateId: string, clientId: string): readonly PolicyDocument[];
  /** JITR: called by the gateway for an unregistered certificate whose issuer is a registered CA with auto registration. `true`: it is PENDING_ACTIVATION now. */
  registerJustInTime(pem: string): boolean;
  /** A client has connected, or its connection has ended: Device Defender audits look at who shares a certificate or a client id. */
  connected(certificateId: string, clientId: string): void;
  disconnected(certificateId: string, clientId: string, reason: string): void;
}

export interface Gateway {
  readonly port: number;
  readonly host: string;
  /** PEM of the CA of the gateway's own server certificate. */
  readonly serverCaPem: string;
  /** Publishes as AWS IoT itself (lifecycle events, answers on reserved topics); rules see it too. */
  publish(
    topic: string,
    payload: Uint8Array | string,
    options?: {
      readonly qos?: 0 | 1;
      readonly retain?: boolean;
      /** For clients of MQTT 5. */
      readonly contentType?: string;
      /** Not delivered any more from then on. */
      readonly expiresAtMs?: number;
    },
  ): void;
  /** Cuts one client off. `false`: not connected. */
  disconnect(clientId: string, reason: string): boolean;
  /** Cuts all connections of a certificate, as AWS does some minutes after a status change. */
  disconnectCertificate(certificateId: string, reason: string): number;
  connections(): readonly { readonly clientId: string; readonly certificateId: string; readonly connectedAtMs: number }[];
}

/** What one client did, or what was done to it, as the gateway saw it. Who is authenticated and let in or refused; TLS alone has no client id yet. */
export interface ClientTraffic {
  /** A metric of AWS IoT (`Connect.Success`, `PublishIn.AuthError` …), or `Disconnect`, for which there is none. */
  readonly what: string;
  readonly clientId: string;
  readonly sourceIp: string;
  /** Topic, or topic filter of a subscription. */
  readonly topic?: string;
  /** Of the payload. */
  readonly bytes?: number;
}

/** A violation that somebody at the desk wants to have happened, whatever the devices do. */
export interface RaisedViolation {
  readonly securityProfileName: string;
  readonly behaviorName: string;
  /** A thing in a target of the profile, or the client id of none. */
  readonly thingName: string;
  readonly metricValue?: {
    readonly count?: number;
    readonly cidrs?: readonly string[];
    readonly ports?: readonly number[];
    readonly number?: number;
    readonly numbers?: readonly number[];
    readonly strings?: readonly string[];
  };
  /** Of a behaviour of ML Detect. */
  readonly confidenceLevel?: 'LOW' | 'MEDIUM' | 'HIGH';
}

/** Device Defender Detect, by hand: what is raised here is listed and notified as Detect does, and no metric ends it. */
export interface Detection {
  /** Answers the violation's id; of one that is open already, that one's. Throws where profile, behaviour or target do not exist. */
  raise(violation: RaisedViolation): Promise<string>;
  clear(violationId: string, metricValue?: RaisedViolation['metricValue']): Promise<void>;
  /** As after two days without metrics. */
  invalidate(violationId: string): Promise<void>;
}

export interface Cloud {
  readonly world: World;
  readonly iam: Iam;
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  /** Calls an operation in process, past the wire and IAM, as the administrator: for the deployer and the scenes' set-up of AWS-side state. Validated like a request. */
  call<T = Record<string, unknown>>(service: string, operation: string, input: Record<string, unknown>): Promise<T>;
  /**
   * The same as `principal` (a service principal with its source ARN, a role): IAM and resource policies apply, and faults where the caller is
   * not a service. An answer that a fault loses is given all the same, unless `lostAnswer` makes an error of it.
   */
  callAs<T = Record<string, unknown>>(
    principal: Principal,
    service: string,
    operation: string,
    input: Record<string, unknown>,
    lostAnswer?: () => Error,
  ): Promise<T>;
  addService(service: AwsService): void;
  /** Delivery from one service to the ARN of another: sqs, lambda, sns, logs. Applies the fault settings. Resolves to what the resource policy decided. */
  deliver(delivery: Delivery): Promise<AccessDecision & { readonly result?: LambdaResult }>;
  /** What `deliver` would decide, with nothing delivered. */
  mayDeliver(delivery: Delivery): AccessDecision;
  /** Each service that can be a target registers one. `arnService` is the third part of the ARN. */
  addTarget(
    arnService: string,
    accept: (delivery: Delivery) => Promise<LambdaResult | void>,
    access: (delivery: Delivery) => AccessRequest,
  ): void;
  /** Parts that other parts need; set by desk.ts as they are built. */
  readonly parts: {
    putEvent?: (event: BusEvent, options?: { readonly bestEffort?: boolean }) => void;
    logs?: (group: string, stream: string, messages: readonly { readonly timestamp: number; readonly message: string }[]) => void;
    registry?: IotRegistry;
    gateway?: Gateway;
    detect?: Detection;
    /** Device Defender Detect looks at each client by itself. */
    traffic?: (traffic: ClientTraffic) => void;
    /** Runs the topic rules on one message. Called by the gateway for every publish that reaches the broker. */
    rules?: (message: {
      readonly topic: string;
      readonly payload: Uint8Array;
      readonly clientId?: string;
      readonly principal?: string;
      readonly sourceIp?: string;
    }) => void;
    invoke?: (functionArn: string, event: unknown, source: string) => Promise<LambdaResult>;
    /** How many invocations of functions have begun and not ended. */
    invocationsUnderWay?: () => number;
    /** Creates a function from its template (the Lambda API itself does not serve CreateFunction here). Answers its ARN. */
    createFunction?: (definition: FunctionDefinition) => string;
    /** Metrics as services publish them: the namespaces `AWS/…` too, which PutMetricData refuses. */
    metrics?: (values: readonly MetricValue[]) => void;
    /** Calls `listener` whenever a message of the queue can be received: arrived, its delay over, visible again. Returns the removal. */
    queueArrivals?: (queueArn: string, listener: () => void) => () => void;
    /** Calls `listener` whenever records have been put into the stream. Returns the removal. */
    streamArrivals?: (streamArn: string, listener: () => void) => () => void;
  };
}
