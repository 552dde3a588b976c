/**
 * Scene 5: certificates that end soon are replaced over the air. The devices here run the reference agent: each makes a new key, asks, tries
 * the new certificate, proves it, and only then lets go of the old one.
 */
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { EnrolledDevice } from '../fleet/enrol.js';
import type { Fleet } from '../fleet/fleet.js';
import { DAY, enrolled, inventoryKnows, MINUTE, order, runAgents } from './agents.js';
import { foundByAudit } from './audited.js';
import { connectedCount } from './fleet-view.js';
import type { Cellar } from './offline.js';
import { activeOf, statusOf } from './registry-view.js';
import { until } from './report.js';
import type { Scene } from './scene.js';
import type { Stage } from './stage.js';

const NAMES = ['meter-0001', 'meter-0002', 'meter-0003', 'meter-0004'];
const DAYS_LEFT = 20;
export function rotation(cellar: Cellar): Scene {
  return {
    id: '5',
    title: 'certificates that end soon',
    story: [
      `${NAMES.length} meters have certificates that end in ${DAYS_LEFT} days. The daily query finds them;`,
      'they are to get new ones over the air. Two more are found by the audit.',
    ],
    async run(stage) {
      const before = connectedCount(stage);
      const [old] = await Promise.all([enrolled(stage, NAMES, DAYS_LEFT), cellar.fill(stage)]);
      const meters = await runAgents(stage, old);
      try {
        stage.screen.say(`${NAMES.length} meters connected, running the reference agent`);
        await rotate(stage, meters, old);
        await foundByAudit(stage);
        await retired(stage, meters, old);
        stage.expect('the rest of the fleet noticed nothing', connectedCount(stage) === before);
      } finally {
        await meters.stop();
      }
    },
  };
}

/** What the daily schedule does, now. */
async function rotate(stage: Stage, meters: Fleet, old: readonly EnrolledDevice[]): Promise<void> {
  stage.expect('the inventory knows when their certificates end', await inventoryKnows(stage, old));
  const startedAt = performance.now();
  await order(stage, { kind: 'due' });
  const draw = () =>
    stage.screen.live(
      ['thing', 'rotation', 'connection'],
      NAMES.map((name) => row(meters, name)),
    );
  const watching = setInterval(draw, 250);
  const finished = await until(() => NAMES.every((name) => meters.rotations().get(name)?.step === 'finished'), 120_000);
  clearInterval(watching);
  draw();
  stage.screen.settle();
  stage.expect(
    `all ${NAMES.length} have a new certificate, ${((performance.now() - startedAt) / 1000).toFixed(1)} s after the query`,
    finished,
  );
  const statuses = await Promise.all(old.map(({ certificateId }) => statusOf(stage, certificateId)));
  stage.expect(
    'the old ones are INACTIVE, and can still be brought back',
    statuses.every((status) => status === 'INACTIVE'),
    statuses.join(' '),
  );
  const active = await Promise.all(NAMES.map((name) => activeOf(stage, name)));
  stage.expect(
    'each meter has exactly one ACTIVE certificate, and it is a new one',
    active.every((ids, i) => ids.length === 1 && ids[0] !== old[i]!.certificateId),
  );
  stage.expect(
    'and is connected with it',
    [...meters.states().values()].every(({ state }) => state === 'connected'),
  );
  const campaigns = await stage.fleetwarden('campaigns');
  stage.expect('`fleetwarden campaigns` shows the campaign', campaigns.status === 0 && /due-/.test(campaigns.output));
}

/** The grace passes; the old certificates are revoked, at AWS IoT and at the CA, and the CRL that follows finds nothing left to do. */
async function retired(stage: Stage, meters: Fleet, old: readonly EnrolledDevice[]): Promise<void> {
  stage.screen.say('… simulated: the grace of one day passes, then the CA publishes its CRL');
  await stage.desk.world.clock.advance(DAY + 20 * MINUTE);
  const gone = await until(
    async () => (await Promise.all(old.map(({ certificateId }) => statusOf(stage, certificateId)))).every((s) => s === 'REVOKED'),
    60_000,
  );
  stage.expect('the old certificates are REVOKED', gone);
  await stage.desk.world.clock.advance(35 * MINUTE);
  const listed = await supersededSerials(stage);
  const serials = old.map(({ certificatePem }) => bare(new x509.X509Certificate(certificatePem).serialNumber));
  stage.expect(
    "they are on the CA's CRL as superseded",
    serials.every((serial) => listed.has(serial)),
  );
  const holds = await stage.fleetwarden('holds', '--json');
  const waiting = (JSON.parse(holds.output) as { holds: { state: string }[] }).holds.filter(({ state }) => state === 'HELD');
  stage.expect('the brake had nothing to hold: they were retired, not revoked by surprise', waiting.length === 0);
  stage.expect(
    'the meters are connected',
    [...meters.states().values()].every(({ state }) => state === 'connected'),
  );
}

function row(meters: Fleet, name: string) {
  const step = meters.rotations().get(name)?.step ?? 'none yet';
  const state = meters.states().get(name)?.state ?? 'connecting';
  return { cells: [name, step, state], tone: step === 'finished' ? ('good' as const) : ('quiet' as const) };
}

const bare = (serial: string) => serial.toLowerCase().replace(/^0+/, '');
const SUPERSEDED = 4;

/** Read by @peculiar/x509, not by this project's own reader. */
async function supersededSerials({ clients, crlBucket }: Stage): Promise<ReadonlySet<string>> {
  const { Contents = [] } = await clients.s3.send(new ListObjectsV2Command({ Bucket: crlBucket, Prefix: 'crl/' }));
  const { Key } = Contents.find((object) => object.Key?.endsWith('.crl')) ?? {};
  const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket: crlBucket, Key }));
  const crl = new x509.X509Crl(Buffer.from(await Body!.transformToByteArray()));
  return new Set(crl.entries.filter(({ reason }) => Number(reason) === SUPERSEDED).map(({ serialNumber }) => bare(serialNumber)));
}
