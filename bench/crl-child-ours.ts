/**
 * One run of our reader as a whole process, bundled as the product is. Arguments: mode, CRL, issuer's certificate, state to read, state to write.
 *
 *     parse   read, enumerate every entry (serial, date, reason), verify
 *     diff    the same against the applied serials; enumerate what is fresh
 *     sync    diff, and write the next state: all that a sync does with a CRL itself
 */
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { Certificate } from '../domain/pki/certificate.js';
import { readCrl } from '../domain/pki/crl-reader.js';
import { readSerialSet } from '../domain/pki/serial-state.js';
import { THIS_UPDATE_MS } from './crl-times.js';

function* chunksOf(path: string): Generator<Uint8Array> {
  const file = openSync(path, 'r');
  const buffer = Buffer.alloc(65_536);
  for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer)) yield buffer.subarray(0, length);
  closeSync(file);
}

async function main(mode: string, crlFile: string, certificateFile: string, stateFile: string, nextStateFile: string): Promise<void> {
  const issuers = [{ certificate: Certificate.read(readFileSync(certificateFile)) }];
  const known = mode === 'parse' ? undefined : await readSerialSet(chunksOf(stateFile));
  const reading = await readCrl(chunksOf(crlFile), { atMs: THIS_UPDATE_MS, issuers, known });
  if (!reading.accepted) throw new Error(`refused: ${JSON.stringify(reading.refusals)}`);
  let seen = 0;
  let sum = 0;
  reading.fresh.visit((words, at, seconds, reason) => {
    seen += 1;
    sum ^= words[at]! ^ words[at + 4]! ^ seconds ^ reason;
  });
  if (mode === 'sync' || nextStateFile !== '') {
    const file = openSync(nextStateFile, 'w');
    for (const part of reading.nextState()) writeSync(file, part);
    closeSync(file);
  }
  writeSync(1, `${JSON.stringify({ entries: reading.facts.entries, seen, sum })}\n`);
}

const [, , mode = '', crlFile = '', certificateFile = '', stateFile = '', nextStateFile = ''] = process.argv;
void main(mode, crlFile, certificateFile, stateFile, nextStateFile);
