/**
 * One certificate, from the registry's answer to the record of what was done:
 *
 *     describe ─► read what is on record ─► decide ─► acting + intent ─► UpdateCertificate ─► DeleteConnection ─► outcome ─► done
 *
 * The process may die at any of these arrows. The next delivery starts again at the left, finds the registry as it then is, and does what is
 * missing. What is on record is read after the registry, and `acting` is written before the status is set: so whoever sees our status also
 * sees that it is ours. `done` comes last, because the sync leaves out what is done.
 */
import { METRICS, type MetricName } from '../../../domain/fleet/metrics.js';
import type { RevokeOutcome } from '../../../domain/protocol/revocation.js';
import type { Clock } from '../../ports/clock.js';
import type { DecisionLog } from '../../ports/decision-log.js';
import type { DueRevocations } from '../../ports/due.js';
import type { Inventory, RevocationRecord } from '../../ports/inventory.js';
import type { RegisteredCertificate, Registry } from '../../ports/registry.js';
import type { Signals } from '../../ports/signals.js';
import { decide, type RevokeDecision, type RevokeFacts, type RevokePolicy, type Standing } from './decide.js';
import { identityOf } from '../identity.js';
import type { Named } from './resolve.js';

export interface CarryOutPorts {
  readonly registry: Pick<Registry, 'describe' | 'setStatus' | 'thingsOf' | 'deleteConnection'>;
  readonly inventory: Pick<Inventory, 'bySerial' | 'rememberRevocation' | 'setStatus'>;
  readonly due: Pick<DueRevocations, 'put'>;
  readonly decisions: Pick<DecisionLog, 'append'>;
  readonly clock: Clock;
  readonly signals: Signals;
}

/** What decides about one certificate, as the registry and the record have it now. */
export async function judge(ports: CarryOutPorts, policy: RevokePolicy, named: Named): Promise<RevokeDecision> {
  const registered = named.certificateId && (await ports.registry.describe(named.certificateId));
  // An ACTIVE certificate cannot have been deactivated by us a moment ago: only the other standings need the record as it is now.
  const revocation =
    registered?.status === 'ACTIVE' ? named.before : (await ports.inventory.bySerial(named.issuerId, named.serialNumber)).revocation;
  return decide(
    { action: named.message.action, registry: registryFact(named, registered), before: revocation && recordFact(revocation) },
    policy,
    ports.clock.nowMs(),
  );
}

export async function carryOut(ports: CarryOutPorts, named: Named, decision: RevokeDecision): Promise<RevokeOutcome> {
  const { message, issuerId, certificateId } = named;
  let outcome = decision.outcome;
  if (decision.do === 'set' && certificateId !== undefined) {
    // A reactivation leaves the record of the hold in place until it is done: that record is what allows it.
    if (decision.status !== 'ACTIVE') await remember(ports, named, { state: 'acting' });
    await append(ports, named, 'intent', decision);
    if (!(await ports.registry.setStatus(certificateId, decision.status))) outcome = 'deleted';
  }
  if ((decision.do === 'set' && decision.status !== 'ACTIVE') || decision.do === 'finish') {
    await dropConnections(ports, named);
    if (decision.dueAtMs !== undefined) await ports.due.put({ ...message, action: 'complete' }, issuerId, decision.dueAtMs);
  }
  await append(ports, named, 'outcome', { ...decision, outcome });
  if (decision.do !== 'nothing') {
    const status = STATUS_AFTER[outcome];
    if (status !== undefined && named.inInventory !== undefined) {
      await ports.inventory.setStatus(named.inInventory.certificateId, status, message.reason, 'revocation');
    }
    await remember(ports, named, { state: 'done', outcome });
  }
  report(ports, named, decision, outcome);
  return outcome;
}

const STANDINGS: Readonly<Record<RegisteredCertificate['status'], Standing>> = {
  REVOKED: 'REVOKED',
  INACTIVE: 'INACTIVE',
  ACTIVE: 'ACTIVE',
  PENDING_TRANSFER: 'other',
  PENDING_ACTIVATION: 'other',
  REGISTER_INACTIVE: 'other',
};

function registryFact(
  { anchor, serialNumber, inInventory, barred }: Named,
  registered: RegisteredCertificate | undefined,
): RevokeFacts['registry'] {
  if (barred !== undefined) return { found: 'yes', standing: 'other', identity: barred };
  if (registered === undefined) return { found: 'no', known: inInventory !== undefined && inInventory.status !== 'NOT_REGISTERED' };
  return { found: 'yes', standing: STANDINGS[registered.status], identity: identityOf(registered.certificatePem, anchor, serialNumber) };
}

export const recordFact = ({ state, message, outcome }: RevocationRecord): NonNullable<RevokeFacts['before']> => ({
  state,
  action: message.action,
  runId: message.runId,
  outcome,
});

/** AWS IoT drops the connections of a certificate "within a few minutes" by itself; this makes it seconds. After the status: otherwise the device is back at once. */
async function dropConnections({ registry }: CarryOutPorts, { certificateId, inInventory }: Named): Promise<void> {
  const known = [inInventory?.clientId, inInventory?.thingName].filter((clientId) => clientId !== undefined);
  const clientIds = known.length > 0 || certificateId === undefined ? known : await registry.thingsOf(certificateId);
  for (const clientId of new Set<string>(clientIds)) await registry.deleteConnection(clientId);
}

function remember(
  { inventory, clock }: CarryOutPorts,
  { issuerId, serialNumber, message }: Named,
  step: Pick<RevocationRecord, 'state' | 'outcome'>,
): Promise<void> {
  return inventory.rememberRevocation({ issuerId, serialNumber, message, ...step, updatedAtMs: clock.nowMs() });
}

function append(
  { decisions, clock }: CarryOutPorts,
  named: Named,
  step: 'intent' | 'outcome',
  { reason, outcome }: Pick<RevokeDecision, 'reason' | 'outcome'>,
): Promise<void> {
  const { message, certificateId, issuerId, serialNumber } = named;
  return decisions.append({
    subject: certificateId === undefined ? `SERIAL#${issuerId}#${serialNumber}` : `CERT#${certificateId}`,
    step,
    act: message.action,
    reason,
    runId: message.runId,
    by: 'revoke',
    atMs: clock.nowMs(),
    detail: { outcome, source: message.source, crlReason: message.reason, issuerId, serialNumber, anchorId: message.anchorId },
  });
}

const STATUS_AFTER: Readonly<Partial<Record<RevokeOutcome, 'REVOKED' | 'INACTIVE' | 'ACTIVE' | 'DELETED'>>> = {
  revoked: 'REVOKED',
  'already-revoked': 'REVOKED',
  deactivated: 'INACTIVE',
  'already-inactive': 'INACTIVE',
  reactivated: 'ACTIVE',
  deleted: 'DELETED',
};

const METRIC_OF: Readonly<Partial<Record<RevokeOutcome, MetricName>>> = {
  revoked: METRICS.revoked,
  deactivated: METRICS.deactivated,
  'already-revoked': METRICS.alreadyRevoked,
  'not-registered': METRICS.notRegistered,
  'is-a-ca': METRICS.caCertificateListed,
  mismatch: METRICS.mismatch,
};

function report(
  { signals, clock }: CarryOutPorts,
  { message, certificateId, issuerId, serialNumber, inInventory }: Named,
  { reason }: RevokeDecision,
  outcome: RevokeOutcome,
): void {
  const metric = METRIC_OF[outcome];
  if (metric !== undefined) signals.count(metric);
  if (message.revocationDate !== undefined && (outcome === 'revoked' || outcome === 'deactivated')) {
    signals.count(METRICS.secondsToRevoke, Math.max(0, clock.nowMs() - Date.parse(message.revocationDate)) / 1000);
  }
  const ids = {
    certificateId,
    thingName: inInventory?.thingName,
    issuerId,
    serialNumber,
    action: message.action,
    outcome,
    reason,
    runId: message.runId,
  };
  if (outcome === 'mismatch' || outcome === 'is-a-ca') signals.warn('certificate left alone', ids);
  else signals.info('certificate settled', ids);
}
