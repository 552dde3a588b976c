/** The last that is known of a client's connection. */
export interface PresenceRow {
  readonly clientId: string;
  /** Where the thing is called otherwise. */
  readonly thingName?: string;
  readonly connected: boolean;
  readonly versionNumber: number;
  readonly atMs: number;
  readonly address?: string;
}

export interface Presences {
  /** An older state than the one that is kept changes nothing. */
  note(row: PresenceRow): Promise<void>;
  get(clientId: string): Promise<PresenceRow | undefined>;
  /** Offline since before `beforeMs`, without those that were marked. Eventually consistent. */
  offlineSince(beforeMs: number): AsyncIterable<PresenceRow>;
  /** This absence has been told of: it is not listed again. The next connection forgets it. */
  markTold(row: PresenceRow): Promise<void>;
}
