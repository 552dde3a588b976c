import type { OperationModel, ServiceModel } from './model.js';
import type { AwsError } from './service.js';

/** A request as it came, after the endpoint has taken the body apart from its transport coding. Header names in lower case. */
export interface WireRequest {
  readonly method: string;
  /** Path as sent (still percent-encoded), without the bucket of an S3 request. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** S3 only: from the path or from the host. */
  readonly bucket?: string;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array>;
}

export interface DecodedRequest {
  readonly operation: OperationModel;
  readonly input: Record<string, unknown>;
}

/** The server's side of a wire protocol. */
export interface Protocol {
  /** Finds the operation. `undefined`: there is none of this name or form in the model. */
  route(model: ServiceModel, request: WireRequest): OperationModel | undefined;
  /** Input in the SDK's shape, not yet validated. Throws SyntaxError where the body cannot be parsed. */
  decode(model: ServiceModel, operation: OperationModel, request: WireRequest): Record<string, unknown>;
  encode(model: ServiceModel, operation: OperationModel, output: Readonly<Record<string, unknown>>, requestId: string): WireResponse;
  encodeError(model: ServiceModel, error: AwsError, requestId: string): WireResponse;
}
