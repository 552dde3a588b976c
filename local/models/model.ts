/**
 * A service's model, read from the schemas that its SDK client carries: the desk has no shapes of its own. A static schema is a tuple,
 * `[9, namespace, operation, traits, input, output]` for an operation and `[±3, namespace, name, traits, members, schemas, required]` for a
 * structure (negative: an error).
 */
import { NormalizedSchema } from '@smithy/core/schema';

export interface HttpBinding {
  readonly method: string;
  /** `/{Key+}` */
  readonly path: string;
  /** Query parameters that select the operation, `list-type=2`, `policy`. The client's own marker `x-id` is not among them. */
  readonly query: readonly (readonly [string, string | undefined])[];
  readonly status: number;
}

export interface OperationModel {
  readonly name: string;
  readonly http?: HttpBinding;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
}

/** The four words that differ between services for what every service says. */
export interface ErrorWords {
  readonly validation: string;
  readonly throttling: readonly [code: string, status: number];
  readonly accessDenied: readonly [code: string, status: number];
  readonly internal: readonly [code: string, status: number];
}

export type WireProtocol = 'restJson1' | 'restXml' | 'awsJson1_0' | 'awsJson1_1' | 'awsQuery' | 'rpcv2Cbor';

export interface ServiceModel {
  readonly name: string;
  /** What the SDK clients and older tools speak to this service. */
  readonly protocols: readonly WireProtocol[];
  /** `com.amazonaws.iot` */
  readonly namespace: string;
  /** `DynamoDB_20120810` in X-Amz-Target. */
  readonly target: string;
  readonly xmlNamespace: string;
  readonly operations: ReadonlyMap<string, OperationModel>;
  readonly errors: ReadonlyMap<string, NormalizedSchema>;
  readonly words: ErrorWords;
}

export const requiredMembers = (schema: NormalizedSchema): readonly string[] => {
  const [, , , , members, , required] = schema.getSchema() as unknown as readonly [
    number,
    string,
    string,
    unknown,
    readonly string[],
    unknown,
    number?,
  ];
  return members.slice(0, required ?? 0);
};

const OPERATION = 9;
const ERROR = -3;
type StaticTuple = readonly [kind: number, namespace: string, name: string, traits: unknown, ...rest: unknown[]];

/** Operations and errors among the exports of an SDK client (names that end in `$`) or of a hand-written module of the same form. */
export function readSchemas(exports: Readonly<Record<string, unknown>>): {
  operations: Map<string, OperationModel>;
  errors: Map<string, NormalizedSchema>;
} {
  const operations = new Map<string, OperationModel>();
  const errors = new Map<string, NormalizedSchema>();
  for (const [key, value] of Object.entries(exports)) {
    if (!key.endsWith('$') || !Array.isArray(value)) continue;
    const schema = value as unknown as StaticTuple;
    if (schema[0] === ERROR) errors.set(schema[2], normalized(value));
    if (schema[0] === OPERATION) {
      const http = httpBinding(schema[3]);
      operations.set(schema[2], {
        name: schema[2],
        ...(http ? { http } : {}),
        input: normalized(schema[4]),
        output: normalized(schema[5]),
      });
    }
  }
  return { operations, errors };
}

function normalized(schema: unknown): NormalizedSchema {
  const reference = typeof schema === 'function' ? (schema as () => unknown)() : schema;
  return NormalizedSchema.of(reference as Parameters<typeof NormalizedSchema.of>[0]);
}

function httpBinding(traits: unknown): HttpBinding | undefined {
  const http = typeof traits === 'object' && traits !== null ? (traits as { http?: readonly [string, string, number] }).http : undefined;
  if (!http) return undefined;
  const [path = '/', search = ''] = http[1].split('?');
  const query = search
    .split('&')
    .filter((pair) => pair && !pair.startsWith('x-id='))
    .map((pair) => pair.split('=') as [string, string | undefined]);
  return { method: http[0], path, query, status: http[2] };
}
