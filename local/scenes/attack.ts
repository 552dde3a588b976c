/**
 * Scene 4: somebody can write to the CRL bucket, or has got hold of the CA. A forged CRL, an older CRL and one that would revoke most of
 * the fleet: nothing is revoked; the last, which is authentic, is held until a person approves that very list.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { createExternalCa } from './external-ca.js';
import { putExternalCrl, type RevokedBook } from './external-crl.js';
import { connectedCount, refused, take, watch } from './fleet-view.js';
import { ignoreEarlier, reported, until } from './report.js';
import type { Scene } from './scene.js';
import type { Stage } from './stage.js';

const HOUR = 3_600_000;

export function attack(book: RevokedBook, directory: string): Scene {
  return {
    id: '4',
    title: 'an attack',
    story: ['Somebody can write into the CRL bucket: a forged CRL, an older CRL, and one that would revoke most of the fleet.'],
    async run(stage) {
      await stage.desk.world.clock.advance(HOUR + 60_000); // the hour that the brake looks at has passed
      const before = connectedCount(stage);
      const unharmed = () => connectedCount(stage) === before;

      await ignoreEarlier(stage);
      await forged(stage, book, directory);
      stage.expect('the forged CRL was refused: its signature is not the pinned key’s', await reported(stage, 'refused'));
      stage.expect('nobody was cut off', unharmed());

      // A newer CRL first, so that the one published before is now an old one.
      const previous = book.published!;
      book.published = await stage.externalCa.crl(book.nextNumber(), book.entries(), stage.desk.world.clock.date());
      await putExternalCrl(stage, book.published);
      await reported(stage, 'unchanged'); // it names nobody new
      await putExternalCrl(stage, previous);
      stage.expect('the older CRL was refused as a rollback', await reported(stage, 'rollback'));
      stage.expect('nobody was cut off', unharmed());

      await mass(stage, book, before);
    },
  };
}

/** Same names, same key identifier, same serials, a higher number: all is right but the key. */
async function forged(stage: Stage, book: RevokedBook, directory: string): Promise<void> {
  const folder = path.join(directory, 'forger');
  try {
    const forger = await createExternalCa(folder, 'Factory CA', stage.desk.world.clock.date(), stage.externalCa.certificatePem);
    const everybody = stage.members.map((d) => ({ serialNumber: d.serialNumber, reason: 'keyCompromise' as const }));
    stage.screen.say(`a forged CRL that names all ${everybody.length} devices is put into the bucket`);
    await putExternalCrl(stage, await forger.crl(1_000_000 + book.entries().length, everybody, stage.desk.world.clock.date()));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function mass(stage: Stage, book: RevokedBook, before: number): Promise<void> {
  const spared = 1;
  const victims = take(stage, 'external', stage.untouched.filter((d) => d.anchor === 'external').length - spared);
  for (const device of victims) book.revoke(device.serialNumber, 'keyCompromise');
  book.published = await stage.externalCa.crl(book.nextNumber(), book.entries(), stage.desk.world.clock.date());
  stage.screen.say(`an authentic CRL that would revoke ${victims.length} of ${before} connected devices is put into the bucket`);
  await putExternalCrl(stage, book.published);
  stage.expect('the mass revocation is held by the brake', await reported(stage, 'held'));
  stage.expect('nobody was cut off', connectedCount(stage) === before);

  const holds = await stage.fleetwarden('holds', '--json');
  const hash = /"hash":\s*"([0-9a-f]{64})"/.exec(holds.output)?.[1];
  stage.expect(
    '`fleetwarden holds` shows the list and its hash',
    holds.status === 0 && hash !== undefined,
    hash ? `${hash.slice(0, 16)}…` : holds.output.slice(0, 200),
  );
  if (!hash) return;
  const wrong = await stage.fleetwarden('approve', '0'.repeat(64), '--yes');
  stage.expect('an approval for another hash is refused', wrong.status !== 0);
  stage.screen.say(`operator: npx fleetwarden approve ${hash.slice(0, 16)}… --yes`);
  const startedAt = performance.now();
  const approved = await stage.fleetwarden('approve', hash, '--yes');
  stage.expect(
    'the operator approves it on the command line',
    approved.status === 0,
    approved.status === 0 ? undefined : approved.output.slice(0, 200),
  );
  const out = await watch(stage, victims, refused, 60_000 + victims.length * 200);
  stage.expect(`then all ${victims.length} were cut off and refused, in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`, out);
  stage.expect('and nobody else', connectedCount(stage) === before - victims.length);
  const again = await stage.fleetwarden('approve', hash, '--yes');
  stage.expect('the approval cannot be used a second time', again.status !== 0);
  stage.expect(
    'the hold is recorded as applied',
    await until(async () => /"APPLIED"/.test((await stage.fleetwarden('holds', '--json')).output), 30_000),
  );
}
