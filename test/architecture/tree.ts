import { type Dirent, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

export const REPOSITORY = path.resolve(__dirname, '..', '..');

/** What is not ours, or is generated: the folders of .gitignore. */
const NOT_OURS = new Set(['.git', 'node_modules', 'cdk.out', 'build', 'coverage', '.desk', 'bench/results']);

/** Files of the project below the given folders (all of it, without any), relative to its root, in a fixed order. */
export function projectFiles(...below: readonly string[]): readonly string[] {
  return (below.length === 0 ? [''] : below).filter((folder) => existsSync(path.join(REPOSITORY, folder))).flatMap(filesIn);
}

function filesIn(folder: string): readonly string[] {
  if (statSync(path.join(REPOSITORY, folder)).isFile()) return [folder];
  const byName = (one: Dirent, other: Dirent): number => (one.name < other.name ? -1 : 1);
  return readdirSync(path.join(REPOSITORY, folder), { withFileTypes: true })
    .toSorted(byName)
    .flatMap((entry) => {
      const file = path.posix.join(folder, entry.name);
      if (NOT_OURS.has(file) || NOT_OURS.has(entry.name)) return [];
      return entry.isDirectory() ? filesIn(file) : entry.isFile() && !file.endsWith('.log') ? [file] : [];
    });
}

/** `''` when it has been deleted since it was listed. */
export function contentOf(file: string): string {
  return existsSync(path.join(REPOSITORY, file)) ? readFileSync(path.join(REPOSITORY, file), 'utf8') : '';
}
