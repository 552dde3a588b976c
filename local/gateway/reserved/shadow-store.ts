/**
 * Device shadows: state, metadata and version of a document per thing and shadow name.
 * https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-document.html
 */
import type { DeskClock } from '../../world/clock.js';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export class ShadowError extends Error {
  constructor(
    /** As in the rejected message: 400, 404, 409, 413. */
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

interface Shadow {
  readonly desired: JsonObject | undefined;
  readonly reported: JsonObject | undefined;
  readonly metadata: JsonObject;
  readonly version: number;
  readonly timestamp: number;
}

export interface ShadowUpdate {
  readonly accepted: JsonObject;
  readonly delta?: JsonObject;
  readonly documents: JsonObject;
}

const MAX_BYTES = 8 * 1024;
const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Deep merge; `null` removes a key. */
function merge(base: JsonObject | undefined, change: Json | undefined): JsonObject | undefined {
  if (change === undefined) return base;
  if (!isObject(change)) return undefined;
  const result: Record<string, Json> = { ...base };
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete result[key];
    else if (isObject(value)) {
      const held = result[key];
      result[key] = merge(isObject(held) ? held : undefined, value) ?? {};
    } else result[key] = value;
  }
  return Object.keys(result).length > 0 ? result : undefined;
}

/** The metadata tree: a time stamp beside each leaf. */
function stamped(value: Json, timestamp: number): Json {
  return isObject(value)
    ? Object.fromEntries(
        Object.entries(value)
          .filter(([, item]) => item !== null)
          .map(([key, item]) => [key, stamped(item, timestamp)]),
      )
    : { timestamp };
}

function difference(desired: JsonObject | undefined, reported: JsonObject | undefined): JsonObject {
  const result: Record<string, Json> = {};
  for (const [key, value] of Object.entries(desired ?? {})) {
    const other = reported?.[key];
    if (isObject(value) && isObject(other)) {
      const inner = difference(value, other);
      if (Object.keys(inner).length > 0) result[key] = inner;
    } else if (JSON.stringify(value) !== JSON.stringify(other)) result[key] = value;
  }
  return result;
}

export class ShadowStore {
  private readonly shadows = new Map<string, Shadow>();
  /** Versions go on after a deletion (device-shadow-document.html: not reset at once). */
  private readonly lastVersions = new Map<string, number>();

  constructor(private readonly clock: DeskClock) {}

  private seconds(): number {
    return Math.floor(this.clock.nowMs() / 1000);
  }
  private static key(thingName: string, shadowName: string | undefined): string {
    return `${thingName}/${shadowName ?? ''}`;
  }
  private existing(thingName: string, shadowName: string | undefined): Shadow {
    const found = this.shadows.get(ShadowStore.key(thingName, shadowName));
    if (!found)
      throw new ShadowError(404, `No shadow exists with name: '${shadowName === undefined ? thingName : `${thingName}~${shadowName}`}'`);
    return found;
  }

  get(thingName: string, shadowName?: string): JsonObject {
    const shadow = this.existing(thingName, shadowName);
    const delta = difference(shadow.desired, shadow.reported);
    const state = { ...stateOf(shadow), ...(Object.keys(delta).length > 0 ? { delta } : {}) };
    return { state, metadata: shadow.metadata, version: shadow.version, timestamp: this.seconds() };
  }

  /** `document` is the text of an update request. Throws ShadowError. */
  update(thingName: string, shadowName: string | undefined, document: Uint8Array): ShadowUpdate {
    if (document.byteLength > MAX_BYTES) throw new ShadowError(413, 'The payload exceeds the maximum size allowed');
    const request = parse(document);
    const { state } = request;
    if (!isObject(state)) throw new ShadowError(400, 'Missing required node: state');
    for (const section of ['desired', 'reported'] as const) {
      const value = state[section];
      if (value !== undefined && value !== null && !isObject(value)) throw new ShadowError(400, `State node ${section} must be an object`);
    }
    const key = ShadowStore.key(thingName, shadowName);
    const before = this.shadows.get(key);
    const lastVersion = before?.version ?? this.lastVersions.get(key) ?? 0;
    if (typeof request['version'] === 'number' && before && request['version'] !== before.version)
      throw new ShadowError(409, 'Version conflict');
    const timestamp = this.seconds();
    const next: Shadow = {
      desired: merge(before?.desired, state['desired']),
      reported: merge(before?.reported, state['reported']),
      metadata: merge(before?.metadata, stamped(state, timestamp)) ?? {},
      version: lastVersion + 1,
      timestamp,
    };
    this.shadows.set(key, next);
    this.lastVersions.set(key, next.version);
    const clientToken: JsonObject = typeof request['clientToken'] === 'string' ? { clientToken: request['clientToken'] } : {};
    const change = difference(next.desired, next.reported);
    const common = { version: next.version, timestamp, ...clientToken };
    return {
      accepted: { state, metadata: stamped(state, timestamp), ...common },
      ...(Object.keys(change).length > 0 && state['desired'] !== undefined
        ? { delta: { state: change, metadata: stamped(change, timestamp), ...common } }
        : {}),
      documents: {
        previous: before ? { state: stateOf(before), metadata: before.metadata, version: before.version } : null,
        current: { state: stateOf(next), metadata: next.metadata, version: next.version },
        timestamp,
        ...clientToken,
      },
    };
  }

  delete(thingName: string, shadowName?: string): JsonObject {
    const { version } = this.existing(thingName, shadowName);
    this.shadows.delete(ShadowStore.key(thingName, shadowName));
    return { version, timestamp: this.seconds() };
  }

  namesOf(thingName: string): string[] {
    return [...this.shadows.keys()]
      .filter((key) => key.startsWith(`${thingName}/`) && key !== `${thingName}/`)
      .map((key) => key.slice(thingName.length + 1));
  }
}

const stateOf = (shadow: Shadow): JsonObject => ({
  ...(shadow.desired ? { desired: shadow.desired } : {}),
  ...(shadow.reported ? { reported: shadow.reported } : {}),
});

function parse(document: Uint8Array): JsonObject {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(document).toString('utf8'));
    if (isObject(parsed)) return parsed;
  } catch {
    // One answer for both: it is not the JSON object that a shadow document is.
  }
  throw new ShadowError(400, 'Payload contains invalid json');
}
