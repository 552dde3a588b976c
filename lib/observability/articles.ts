/**
 * Every alarm points to one article of docs/runbook.md, named by its id. One list: an alarm cannot be made without an article, and the
 * tests check that the runbook has exactly these.
 */
export const ARTICLES = {
  'crl-refused': 'A CRL was refused: forged, malformed, out of scope, or of a CA that is no trust anchor. Nothing of it was applied.',
  'crl-rollback': 'A CRL older than the one applied lies in the bucket as the current one. Nothing of it was applied.',
  'crl-equivocation': 'Two different CRLs carry the same number. Nothing of the second was applied.',
  'crl-expired': 'A CRL is past its nextUpdate: its CA has stopped publishing, new revocations cannot arrive.',
  'crl-absent': 'A CRL that was known has disappeared from the bucket.',
  'crl-old': 'The oldest CRL in force was issued longer ago than it should be.',
  'crl-shrunk': 'More than half of the entries of a CRL are gone at once.',
  'crl-not-written': 'AWS Private CA could not generate a CRL or write it to the bucket.',
  'revocations-held': 'New revocations are over the brake and wait for an approval.',
  'fast-path-braked': 'The fast path met the brake: its revocation is left to the CRL.',
  'held-list-altered': 'The stored list of a hold is not the one that was approved: somebody touched it. Nothing was done.',
  'hold-removed': 'A certificate left certificateHold: it is reactivated only if a person approves.',
  'ca-certificate-listed': 'A CA certificate stands on a CRL. Nothing was done by machine: a person decides.',
  'certificate-mismatch': 'The registry’s own certificate is not the one that the CRL names. Nothing was done to it.',
  'revoke-failed': 'A revocation could not be carried out and will be tried again.',
  'emergency-stop': 'The emergency stop is set: nothing is being changed.',
  'inventory-unreadable': 'A certificate of the registry could not be read into the inventory.',
  'audit-failed': 'An audit of Device Defender failed or was cancelled. It says nothing about the fleet.',
  'audit-check-failed': 'A check of an audit failed or was cancelled. It says nothing about what it should have checked.',
  'audit-silent': 'No scheduled audit has been read for two of its periods.',
  'audit-findings-unreadable': 'Findings of an audit could not be read or understood.',
  'audit-account-finding': 'An audit has found something wrong about the account: a CA, a policy, a role, the logging.',
  'audit-device-finding': 'An audit has found something wrong about a device, and no machine does something about it.',
  'expired-unrotated': 'A certificate of a device has ended before it was replaced: the device is out.',
  'rotation-escalated': 'The deadline of a rotation comes closer and the device has not replaced its certificate.',
  'rotation-deadline-missed': 'The deadline of a rotation is past and the device has not replaced its certificate.',
  'campaign-aborted': 'Too many devices of a campaign failed: its rollout was stopped. The old certificates still work.',
  'rotation-suspicious':
    'A device asked for what an honest one never asks for: another’s name, a known key, the rights of a CA. It was refused.',
  'rotation-not-permitted': 'A new certificate is not allowed what the old one was: the old one stays in use.',
  'issued-not-as-ordered': 'The CA issued something else than was ordered. It was not registered.',
  'request-refused-by-ca': 'The CA did not take a certificate request that was in order for us. The device keeps its old certificate.',
  'orphan-superseded': 'A CA had issued a certificate for a rotation that never got it. It was revoked at its CA.',
  'retirement-blocked': 'A certificate was not taken out of the fleet, because the other one of its thing is not as it should be.',
  'retire-failed': 'A rotation could not be settled and will be tried again.',
  'rotation-silent': 'The expiry query or the round that settles rotations has not run.',
  'sweep-silent': 'The regular sweep of the CRLs has not run.',
  'function-errors': 'A function failed or was stopped.',
  'dead-letters': 'Messages lie in a dead-letter queue: work that was given up.',
  'queue-stalled': 'The oldest message of a queue has waited too long.',
  'event-not-delivered': 'A rule could not deliver to its queue.',
} as const;
export type Article = keyof typeof ARTICLES;

export const RUNBOOK = 'docs/runbook.md';
