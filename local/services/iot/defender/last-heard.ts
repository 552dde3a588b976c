/** When something was last heard of each device. Bounded: whoever is refused has claimed the client id that is heard, and may claim any number. */
export const MOST_DEVICES = 20_000;

export class LastHeard {
  /** Longest silent first. */
  private readonly atMs = new Map<string, number>();

  get size(): number {
    return this.atMs.size;
  }

  note(device: string, nowMs: number): void {
    this.atMs.delete(device);
    if (this.atMs.size >= MOST_DEVICES) this.atMs.delete(this.atMs.keys().next().value!);
    this.atMs.set(device, nowMs);
  }

  /** `undefined`: never, or too long ago. */
  of(device: string): number | undefined {
    return this.atMs.get(device);
  }

  forgetBefore(ms: number): void {
    for (const [device, atMs] of this.atMs) {
      if (atMs >= ms) return;
      this.atMs.delete(device);
    }
  }
}
