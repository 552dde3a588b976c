/** Files of a device whose power goes away at the n-th change of its storage. */
import { writeFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Files } from '../../agent/storage/files.js';

/** `half`: a part of the new content lies beside the old one, as when power goes before the rename. */
export type Death = 'before' | 'half' | 'after';

export function mortalFiles(files: Files, directory: string, dieAt: number, death: Death): Files {
  let changes = 0;
  const change = async (name: string, content: string | Uint8Array | undefined, act: () => Promise<void>): Promise<void> => {
    changes += 1;
    if (changes === dieAt && death !== 'after') {
      if (death === 'half' && content !== undefined) {
        const place = path.join(directory, `${name}.new`);
        mkdirSync(path.dirname(place), { recursive: true });
        writeFileSync(place, Buffer.from(content as Uint8Array).subarray(0, Math.floor(content.length / 2)));
      }
      process.kill(process.pid, 'SIGKILL');
    }
    await act();
    if (changes === dieAt) process.kill(process.pid, 'SIGKILL');
  };
  return {
    read: (name) => files.read(name),
    replace: (name, content) => change(name, content, () => files.replace(name, content)),
    remove: (name) => change(name, undefined, () => files.remove(name)),
  };
}
