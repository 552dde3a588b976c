/**
 * The state of a window as Lambda carries it from one invocation to the next (MONITOR_LIMITS says how much that can be). Deflated it is a third to a fifth
 * as long.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { MONITOR_LIMITS } from '../../../domain/protocol/fleet-events.js';
import { emptyState, type ClientState, type WindowState } from './window-state.js';

/** Of a key of `remember`. */
const KEY_LENGTH = 8;

/** What Lambda is given. `v`: of its form; one that we do not know is a window that begins anew. */
export interface CarriedState {
  readonly v?: number;
  readonly z?: string;
}

interface Document {
  readonly c: readonly (readonly [string, ClientState])[];
  readonly m: string;
  readonly o: string;
  readonly partial?: true;
}

/** `bytes`: as Lambda counts them. */
export interface Encoded {
  readonly carried: CarriedState;
  readonly bytes: number;
  /** Clients that were given up now. */
  readonly lost: number;
}

export function encodeState(state: WindowState): Encoded {
  const encoded = print(state);
  if (encoded.bytes <= MONITOR_LIMITS.mostBytes) return { ...encoded, lost: 0 };
  const rest: WindowState = { ...state, clients: new Map(), partial: true };
  return { ...print(rest), lost: state.clients.size };
}

function print({ clients, messages, others, partial }: WindowState): Omit<Encoded, 'lost'> {
  const document: Document = { c: [...clients], m: [...messages].join(''), o: [...others].join(''), ...(partial ? { partial: true } : {}) };
  const carried = { v: 1, z: deflateRawSync(JSON.stringify(document), { level: 1 }).toString('base64') };
  return { carried, bytes: carried.z.length + '{"v":1,"z":""}'.length };
}

/** An empty state begins a window. Throws where what is carried is ours and cannot be read: the batch is tried again, not counted from nothing. */
export function decodeState(carried: CarriedState): WindowState {
  if (carried.v !== 1 || carried.z === undefined) return emptyState();
  const document = JSON.parse(inflateRawSync(Buffer.from(carried.z, 'base64')).toString()) as Document;
  return {
    clients: new Map(document.c),
    messages: keysOf(document.m),
    others: keysOf(document.o),
    partial: document.partial === true,
    full: carried.z.length > MONITOR_LIMITS.fullBytes,
  };
}

function keysOf(joined: string): Set<string> {
  const keys = new Set<string>();
  for (let at = 0; at < joined.length; at += KEY_LENGTH) keys.add(joined.slice(at, at + KEY_LENGTH));
  return keys;
}
