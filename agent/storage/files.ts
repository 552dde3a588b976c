/**
 * Where a device keeps what must survive a power cut, as a port. Three operations, each all or nothing and lasting when it resolves: on flash with
 * a journalling file system as in disk-files.ts, on a bare microcontroller two alternating sectors with a checksum do the same.
 *
 * Names are relative, with `/`. One program writes: two agents on one storage are an error that nothing here detects.
 */
export interface Files {
  /** `undefined` only means that there is no such file. Throws StorageError. */
  read(name: string): Promise<Buffer | undefined>;
  /** Creates the file or puts another in its place: after a power cut there is the one before or the new one, never half of it. Throws StorageError. */
  replace(name: string, content: string | Uint8Array): Promise<void>;
  /** Gone already: success. Throws StorageError. */
  remove(name: string): Promise<void>;
}

/** The storage did not take or give something: full, worn out, read-only, unplugged. */
export class StorageError extends Error {
  constructor(operation: string, name: string, cause: unknown) {
    super(`storage: cannot ${operation} ${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'StorageError';
  }
}
