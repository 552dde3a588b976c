/** What a person or an audit asks for: a few named certificates, into one campaign of their own. */
import { createHash } from 'node:crypto';
import { certificateId } from '../../../domain/fleet/certificate-id.js';
import { METRICS } from '../../../domain/fleet/metrics.js';
import { thingName } from '../../../domain/fleet/thing-name.js';
import type { StartMessage } from '../../../domain/protocol/rotation-work.js';
import type { CertificateRecord } from '../../ports/inventory.js';
import { issuerIds, judge, makeCampaign, noteLeft, type Occasion, open } from './open.js';
import { BY, type StartPorts, type StartSettings } from './ports.js';

type Asked = Extract<StartMessage, { kind: 'rotate' | 'finding' }>;

/** The same request, and the same page of findings, is the same campaign, however often it is delivered. */
export function askedCampaignId(message: Asked): string {
  if (message.kind === 'rotate') return `operator-${message.requestId}`;
  const named = [message.taskId, ...message.certificateIds.toSorted()].join('\n');
  return `audit-${createHash('sha256').update(named).digest('hex').slice(0, 20)}`;
}

export async function startAsked(ports: StartPorts, settings: StartSettings, message: Asked, acting: boolean): Promise<void> {
  const { signals } = ports;
  const campaignId = askedCampaignId(message);
  const occasion: Occasion =
    message.kind === 'rotate'
      ? { reason: 'operator', foundBy: message.by, by: message.by }
      : { reason: 'audit-finding', foundBy: `audit task ${message.taskId}`, by: BY };
  const records = await recordsOf(ports, message);
  const ours = await issuerIds(ports.anchors);
  const judged = await Promise.all(records.map((record) => judge(ports, settings, occasion, record, ours)));
  for (const one of judged) {
    if (one.decision.do === 'leave') signals.info('not rotated', { certificateId: one.record.certificateId, reason: one.decision.reason });
    noteLeft(ports, one);
  }
  const wanted = judged.flatMap((one) => (one.decision.do === 'open' ? [{ one, deadlineMs: one.decision.deadlineMs }] : []));
  signals.count(METRICS.rotationsFound, wanted.length);
  const certificateIds = wanted.map(({ one }) => one.record.certificateId);
  if (!acting) return signals.info('would rotate', { campaignId, certificateIds: certificateIds.slice(0, 20), found: wanted.length });

  if (wanted.length > 0) {
    await makeCampaign(ports, settings, campaignId, occasion, Math.min(...wanted.map(({ deadlineMs }) => deadlineMs)));
    for (const { one } of wanted) await open(ports, settings, campaignId, occasion, one);
  }
  // Also where nothing was opened now: a delivery that died may have opened it.
  if ((await ports.campaigns.get(campaignId))?.state === 'planned') await ports.queue.send({ kind: 'launch', campaignId });
}

async function recordsOf({ inventory, signals }: StartPorts, message: Asked): Promise<readonly CertificateRecord[]> {
  const records: CertificateRecord[] = [];
  if (message.kind === 'rotate') {
    for await (const record of inventory.byThing(thingName(message.thingName))) if (record.status === 'ACTIVE') records.push(record);
    if (records.length === 0) signals.warn('nothing to rotate', { thingName: message.thingName, reason: 'not-active', by: message.by });
    return records;
  }
  for (const id of new Set(message.certificateIds)) {
    const record = await inventory.byId(certificateId(id));
    if (record !== undefined) records.push(record);
    else signals.warn('finding left alone', { certificateId: id, taskId: message.taskId, reason: 'not-in-inventory' });
  }
  return records;
}
