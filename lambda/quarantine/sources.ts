/** Several sources of violations as one: each knows its own, and none can be left out when it is asked what is open. */
import type { ViolationSource } from '../ports/violations.js';

export function anySource(sources: readonly ViolationSource[]): ViolationSource {
  return {
    async read(notified) {
      for (const source of sources) {
        const found = await source.read(notified);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    async *openOf(thingName) {
      for (const source of sources) yield* source.openOf(thingName);
    },
  };
}
