/** What people have to revoke at CAs that no machine can ask, and that they have done it. */
import { serialNumberFromHex, type SerialNumber } from '../../domain/pki/serial-number.js';
import type { RevocationByHand } from '../ports/by-hand.js';
import { Misused, Refused, type Answer } from './answer.js';
import type { Application } from './application.js';
import { good, quiet, table, time } from './words.js';

/** Every certificate that waits for people, by CA. */
export async function listByHand({ byHand }: Application): Promise<Answer> {
  const all: RevocationByHand[] = [];
  for await (const revocation of byHand.all()) all.push(revocation);
  return {
    json: { byHand: all.map(({ sinceMs, ...revocation }) => ({ ...revocation, since: time(sinceMs) })) },
    text: () =>
      all.length === 0
        ? quiet('Nothing is to be revoked by hand.')
        : [
            'Out of the fleet already. Their CA is to revoke them too, reason superseded; then: fleetwarden by-hand done ANCHOR/SERIAL',
            table(
              ['anchor', 'serial number', 'since', 'campaign'],
              all.map(({ anchorId, serialNumber, sinceMs, runId }) => [anchorId, serialNumber, time(sinceMs), runId]),
            ),
          ].join('\n'),
  };
}

/** A person says that the CA has revoked it: off the list, with the name of that person on record. */
export async function doneByHand({ byHand, decisions, caller, clock }: Application, given: string): Promise<Answer> {
  const { anchorId, serialNumber } = parse(given);
  const by = await caller();
  if (!(await byHand.done(anchorId, serialNumber))) throw new Refused(`${given} is not on the list: see fleetwarden by-hand`);
  await decisions.append({
    subject: `SERIAL#${anchorId}#${serialNumber}`,
    step: 'outcome',
    act: 'supersede',
    reason: 'done-by-hand',
    runId: 'by-hand',
    by,
    atMs: clock.nowMs(),
    detail: { anchorId, serialNumber },
  });
  return { json: { done: { anchorId, serialNumber }, by }, text: () => good(`${given} is off the list.`) };
}

function parse(given: string): { readonly anchorId: string; readonly serialNumber: SerialNumber } {
  const [, anchorId = '', serial = ''] = /^([^/]+)\/([0-9a-fA-F:]+)$/.exec(given) ?? [];
  try {
    return { anchorId, serialNumber: serialNumberFromHex(serial.replaceAll(':', '')) };
  } catch {
    throw new Misused(`got "${given}", expected ANCHOR/SERIAL, the serial number in hexadecimal digits`);
  }
}
