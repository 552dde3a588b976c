/** The page of the desk, `/_desk/`: look instead of reading. Read only, on loopback, and only for a browser that asked for loopback. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningCloud } from '../create-cloud.js';
import { deskState } from './state.js';

const FRESH_MS = 500;

export function addPage(cloud: RunningCloud): void {
  const html = readFileSync(join(__dirname, 'page.html'), 'utf8');
  let last: { readonly atMs: number; readonly body: Promise<string> } | undefined;
  cloud.addPage('/_desk/', 'text/html; charset=utf-8', () => html);
  cloud.addPage('/_desk/state', 'application/json', () => {
    // Several browsers, or several tabs, cost no more than one.
    const now = performance.now();
    if (last === undefined || now - last.atMs > FRESH_MS)
      last = { atMs: now, body: deskState(cloud).then((state) => JSON.stringify(state)) };
    return last.body;
  });
}
