/**
 * The invariants of rotation over random interleavings of all its parts together. Each story is drawn from a seed, and says it when it fails:
 *
 *     FLEET_SEED=1234 npx jest test/rotation/fleet-model     one story again
 *     FLEET_FIRST=1 FLEET_STORIES=2000 npx jest test/rotation/fleet-model  a long look
 */
import { createCa, type IssuedCertificate } from '../builders/ca.js';
import { createRequest } from '../builders/csr.js';
import { Story, type Cast } from './fleet/story.js';
import { DAY_MS } from './start-world.js';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const DEVICES = 4;
const STORIES = Number(process.env['FLEET_STORIES'] ?? 30);
const FIRST = Number(process.env['FLEET_FIRST'] ?? process.env['FLEET_SEED'] ?? Date.now() % 1_000_000);

let cast: Cast;
beforeAll(async () => {
  const ca = await createCa({ name: 'CN=Fleet CA' });
  const certificates: IssuedCertificate[] = [];
  for (let index = 1; index <= DEVICES; index += 1)
    certificates.push(
      await ca.issue({ subject: `CN=dev-${index}`, notBefore: new Date(NOW - 300 * DAY_MS), notAfter: new Date(NOW + 20 * DAY_MS) }),
    );
  cast = { ca, certificates, keys: await Promise.all(Array.from({ length: 400 }, () => createRequest())) };
}, 60_000);

const seeds = process.env['FLEET_SEED'] === undefined ? Array.from({ length: STORIES }, (_, index) => FIRST + index) : [FIRST];

test(`whatever happens, in ${seeds.length} stories from seed ${FIRST} on`, async () => {
  const seen: Record<string, number> = {};
  for (const seed of seeds) {
    const story = await Story.begin(seed, cast);
    await story.tell();
    for (const [what, often] of Object.entries(story.seen)) seen[what] = (seen[what] ?? 0) + often;
  }
  process.stdout.write(`${JSON.stringify(seen)}\n`);
  // A model in which nothing happens is true of everything.
  if (seeds.length < 30) return;
  for (const what of ['offered', 'issued', 'proved', 'retired', 'withdrawn', 'contained', 'killed', 'refused', 'orphans'])
    expect([what, seen[what] ?? 0]).not.toEqual([what, 0]);
}, 600_000);
