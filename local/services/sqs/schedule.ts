/** Messages that become visible later, earliest first: a binary heap, because a queue may hold a hundred thousand of them. */
import type { Message } from './message.js';

interface Entry {
  readonly atMs: number;
  readonly message: Message;
}

export class Schedule {
  private readonly heap: Entry[] = [];

  add(message: Message): void {
    const heap = this.heap;
    heap.push({ atMs: message.hiddenUntilMs, message });
    let at = heap.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.atMs <= heap[at]!.atMs) break;
      [heap[parent], heap[at]] = [heap[at]!, heap[parent]!];
      at = parent;
    }
  }

  /** When the earliest entry falls due; entries that were overtaken by a later visibility change count too and are skipped when taken. */
  nextAtMs(): number | undefined {
    return this.heap[0]?.atMs;
  }

  /** Removes and gives the messages whose time has come. An entry is stale when its message was hidden anew since: it has a later entry. */
  take(nowMs: number): Message[] {
    const due: Message[] = [];
    while (this.heap.length > 0 && this.heap[0]!.atMs <= nowMs) {
      const entry = this.removeFirst();
      if (entry.message.hiddenUntilMs === entry.atMs) due.push(entry.message);
    }
    return due;
  }

  clear(): void {
    this.heap.length = 0;
  }

  private removeFirst(): Entry {
    const heap = this.heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    heap[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (left < heap.length && heap[left]!.atMs < heap[least]!.atMs) least = left;
      if (right < heap.length && heap[right]!.atMs < heap[least]!.atMs) least = right;
      if (least === at) return first;
      [heap[least], heap[at]] = [heap[at]!, heap[least]!];
      at = least;
    }
  }
}
