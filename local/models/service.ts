import type { AccessRequest, PolicyDocument, Principal } from '../iam/principal.js';

/** An error as AWS sends it: `code` is the shape name (`ResourceNotFoundException`), `extra` are further members of that shape. */
export class AwsError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status = 400,
    readonly extra: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = code;
  }
}

export interface Call {
  readonly operation: string;
  readonly principal: Principal;
  readonly requestId: string;
}

/**
 * One operation of a service. Input and output are in the shape of the SDK client's own schema (Date for timestamps, Uint8Array for blobs,
 * bigint/number as the schema says), or a promise of it: the router decodes and validates what comes in, and validates and encodes what goes out.
 */
// The router has checked the input against the schema, so operations name only the members they read.
// oxlint-disable-next-line typescript/no-explicit-any
export type Operation = (input: any, call: Call) => unknown;

/** An AWS service as the desk serves it. */
export interface AwsService {
  /** AWS's own name: the folder below local/services. */
  readonly name: string;
  /** Names in the SigV4 credential scope, for instance `iot` or `iotdata`. */
  readonly signingNames: readonly string[];
  /** Served operations. Everything else in the model answers NotImplemented. */
  readonly operations: Readonly<Record<string, Operation>>;
  /** What IAM must allow before the operation runs: usually one request; several for batches. An empty list needs a reason in a comment. */
  access(operation: string, input: Readonly<Record<string, unknown>>): readonly AccessRequest[];
  /** The resource-based policies that apply to a resource ARN (bucket policy, queue policy, function policy, topic policy). */
  resourcePolicies?(resourceArn: string): readonly PolicyDocument[];
}
