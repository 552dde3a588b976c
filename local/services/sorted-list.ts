/** Longest chunk: inserting moves at most this many references, and a million items make a few thousand chunks. */
const CHUNK = 1024;

/**
 * An ordered list that stays fast at a million items: arrays of at most 1,024 items in order, found by binary search. Equal means that
 * `compare` gives 0; at most one of equal items is kept. Iterators must not be held over a change. `Probe` is the part of an item that its
 * place depends on: enough to find it.
 */
export class SortedList<T extends Probe, Probe = T> {
  private readonly chunks: T[][] = [];
  private count = 0;

  constructor(private readonly compare: (a: Probe, b: Probe) => number) {}

  get size(): number {
    return this.count;
  }

  /** Adds the item, or puts it in the place of the one that is equal to it, which is returned. */
  put(item: T): T | undefined {
    const at = this.find(item);
    const chunk = this.chunks[at.chunk];
    const found = chunk?.[at.index];
    if (chunk && found !== undefined && this.compare(found, item) === 0) {
      chunk[at.index] = item;
      return found;
    }
    this.count++;
    this.insert(at, item);
    return undefined;
  }

  /** Takes out the item that is equal to `probe`. */
  delete(probe: Probe): T | undefined {
    const at = this.find(probe);
    const chunk = this.chunks[at.chunk];
    const found = chunk?.[at.index];
    if (!chunk || found === undefined || this.compare(found, probe) !== 0) return undefined;
    chunk.splice(at.index, 1);
    if (chunk.length === 0) this.chunks.splice(at.chunk, 1);
    this.count--;
    return found;
  }

  get(probe: Probe): T | undefined {
    const at = this.find(probe);
    const found = this.chunks[at.chunk]?.[at.index];
    return found !== undefined && this.compare(found, probe) === 0 ? found : undefined;
  }

  /** In order, from the first item for which `reached` holds. `reached` must hold for every later item too. */
  *forward(reached: (item: T) => boolean = () => true): Generator<T, void, undefined> {
    const at = this.seek(reached);
    for (let c = at.chunk; c < this.chunks.length; c++) {
      const chunk = this.chunks[c] ?? [];
      for (let i = c === at.chunk ? at.index : 0; i < chunk.length; i++) yield chunk[i] as T;
    }
  }

  /** In reverse order, from the last item for which `passed` does not hold. `passed` must hold for every later item too. */
  *backward(passed: (item: T) => boolean = () => false): Generator<T, void, undefined> {
    const at = this.seek(passed);
    for (let c = Math.min(at.chunk, this.chunks.length - 1); c >= 0; c--) {
      const chunk = this.chunks[c] ?? [];
      for (let i = c === at.chunk ? at.index - 1 : chunk.length - 1; i >= 0; i--) yield chunk[i] as T;
    }
  }

  private insert(at: { readonly chunk: number; readonly index: number }, item: T): void {
    // Past the end of everything: append to the last chunk, so that ascending loads fill chunks instead of making chunks of one.
    const last = this.chunks.at(-1);
    const chunk = this.chunks[at.chunk] ?? last;
    if (!chunk) {
      this.chunks.push([item]);
      return;
    }
    if (this.chunks[at.chunk]) chunk.splice(at.index, 0, item);
    else chunk.push(item);
    if (chunk.length > CHUNK) this.chunks.splice(this.chunks.indexOf(chunk) + 1, 0, chunk.splice(CHUNK / 2));
  }

  /** Position of the first item that is not before `probe`. As `seek`, without a closure: every read and write passes here. */
  private find(probe: Probe): { readonly chunk: number; readonly index: number } {
    let low = 0;
    let high = this.chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.chunks[middle] as T[];
      if (this.compare(chunk[chunk.length - 1] as T, probe) >= 0) high = middle;
      else low = middle + 1;
    }
    const chunk = low;
    const items = this.chunks[chunk];
    if (!items) return { chunk, index: 0 };
    low = 0;
    high = items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(items[middle] as T, probe) >= 0) high = middle;
      else low = middle + 1;
    }
    return { chunk, index: low };
  }

  /** Position of the first item for which the monotone `reached` holds; past the end: chunk = number of chunks. */
  private seek(reached: (item: T) => boolean): { readonly chunk: number; readonly index: number } {
    const chunk = firstIndex(this.chunks.length, (c) => reached(this.chunks[c]?.at(-1) as T));
    const items = this.chunks[chunk];
    return { chunk, index: items ? firstIndex(items.length, (i) => reached(items[i] as T)) : 0 };
  }
}

/** The smallest index below `length` for which the monotone `holds` is true; `length` where there is none. */
function firstIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
