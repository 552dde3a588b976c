/**
 * Files in a directory. A power cut may come between any two lines:
 *
 *     write name.new → fsync(name.new) → rename(name.new, name) → fsync(directory)
 *
 * Without the first fsync the name can point to an empty file after the cut, without the second the rename itself can be lost (rename(2), fsync(2)).
 */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { StorageError, type Files } from './files.js';

/** Keys lie among the files: nobody but the owner reads them. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

export function diskFiles(directory: string): Files {
  const placeOf = (name: string): string => path.join(directory, name);
  return {
    read: async (name) => {
      try {
        return await readFile(placeOf(name));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw new StorageError('read', name, error);
      }
    },
    replace: async (name, content) => {
      const place = placeOf(name);
      try {
        await mkdir(path.dirname(place), { recursive: true, mode: DIRECTORY_MODE });
        const file = await open(`${place}.new`, 'w', FILE_MODE);
        try {
          await file.writeFile(content);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(`${place}.new`, place);
        await syncDirectory(path.dirname(place));
      } catch (error) {
        throw new StorageError('write', name, error);
      }
    },
    remove: async (name) => {
      const place = placeOf(name);
      try {
        // What a cut left half written goes with it: it may be a part of a key.
        await rm(`${place}.new`, { force: true });
        await rm(place, { force: true });
        await syncDirectory(path.dirname(place));
      } catch (error) {
        throw new StorageError('remove', name, error);
      }
    },
  };
}

/** Windows cannot open a directory; NTFS journals its metadata by itself. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
