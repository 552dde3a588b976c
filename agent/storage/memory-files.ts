/** Files in memory: for simulated devices, thousands in one process. */
import type { Files } from './files.js';

export function memoryFiles(content: Readonly<Record<string, string>> = {}): Files & { names(): string[] } {
  const held = new Map(Object.entries(content).map(([name, text]) => [name, Buffer.from(text)]));
  return {
    read: (name) => Promise.resolve(held.get(name)),
    replace: (name, bytes) => {
      held.set(name, Buffer.from(bytes as Uint8Array));
      return Promise.resolve();
    },
    remove: (name) => {
      held.delete(name);
      return Promise.resolve();
    },
    names: () => [...held.keys()].toSorted(),
  };
}
