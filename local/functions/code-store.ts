/** Where function code lies while the desk runs: a folder of its own outside the repository, removed at the end. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export class CodeStore {
  private root: string | undefined;

  /**
   * Copies a code asset. Inside the repository Node would find the repository's own node_modules from the bundle's folder, and a bundle
   * that forgot a dependency would work here and fail on AWS.
   */
  add(functionName: string, directory: string): string {
    this.root ??= mkdtempSync(path.join(tmpdir(), 'fleetwarden-functions-'));
    const target = path.join(this.root, functionName);
    cpSync(directory, target, { recursive: true });
    return target;
  }

  remove(): void {
    if (this.root !== undefined) rmSync(this.root, { recursive: true, force: true });
    this.root = undefined;
  }
}
