import { createInterface } from 'node:readline/promises';
import { Refused } from './answer.js';

/** Asks on the terminal. Without one, nobody can have read the question: refused, unless `--yes` says that somebody has. */
export async function confirmOnTerminal(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new Refused('an approval needs a terminal to be confirmed on, or --yes');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const said = await terminal.question(`${question} Type yes: `);
    return said.trim().toLowerCase() === 'yes';
  } finally {
    terminal.close();
  }
}
