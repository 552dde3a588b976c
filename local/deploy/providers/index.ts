/**
 * All providers: every file of this folder exports `providers`. The folder is the list, so that a new service adds a file and nothing else.
 * Two files for one type would make the order of files decide: refused.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Providers } from '../provider.js';

export const PROVIDERS: Providers = collect(__dirname);

function collect(directory: string): Providers {
  const all: Record<string, Providers[string]> = {};
  for (const file of readdirSync(directory).sort()) {
    if (!/\.[cm]?[jt]s$/.test(file) || file.startsWith('index.')) continue;
    const { providers } = require(path.join(directory, file)) as { providers: Providers };
    for (const [type, provider] of Object.entries(providers)) {
      if (all[type]) throw new Error(`resource type ${type}: served by two files, the second is ${file}`);
      all[type] = provider;
    }
  }
  return all;
}
