/** What the commands on held lists do where a list of containments is meant, and otherwise what they always did. */
import type { Answer } from './answer.js';
import type { Application } from './application.js';
import type { Confirm } from './hold-decisions.js';

export async function listAllHolds(application: Application): Promise<Answer> {
  const { withContainments } = await import('./containment-holds.js');
  return withContainments(application, await (await import('./hold-lists.js')).listHolds(application));
}

export async function showAnyHold(application: Application, hash: string): Promise<Answer> {
  const contained = await (await import('./containment-holds.js')).showContainmentHold(application, hash);
  return contained ?? (await import('./hold-lists.js')).showHold(application, hash);
}

export async function approveAny(application: Application, hash: string, confirm: Confirm): Promise<Answer> {
  const contained = await (await import('./containment-holds.js')).approveContainments(application, hash, confirm);
  return contained ?? (await import('./hold-decisions.js')).approve(application, hash, confirm);
}

export async function settleAny(application: Application, hash: string, act: 'reject' | 'reopen'): Promise<Answer> {
  const contained = await (await import('./containment-holds.js')).settleContainments(application, hash, act);
  return contained ?? (await import('./hold-decisions.js'))[act](application, hash);
}
