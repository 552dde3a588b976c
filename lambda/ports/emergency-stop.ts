/** While set, nothing is mutated; reading and releasing go on. A store that cannot be read throws: then nothing is mutated either. */
export interface EmergencyStop {
  state(): Promise<{ readonly stopped: boolean; readonly by?: string; readonly reason?: string; readonly atMs?: number }>;
  set(stopped: boolean, by: string, reason: string, atMs: number): Promise<void>;
}
