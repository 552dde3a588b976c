/**
 * Why something was done, or was not. One list: every decision carries one of these words, the log and the audit trail record the word,
 * the command line prints the sentence, the runbook explains it. Reasons for which the CRL reader refuses a CRL are its own list (domain/pki).
 */
export const REASONS = {
  // sync: one CRL object
  'new-revocations': 'the CRL names certificates that had not been handed over yet',
  'nothing-new': 'every entry of the CRL had been handed over before',
  'same-crl': 'this very CRL has been applied',
  'reader-refused': 'the CRL reader refused it',
  'no-trust-anchor': 'no trust anchor answers for this CRL where it was found',
  'number-below-mark': 'its CRL number is below the highest one ever applied, and it is the current object: a rollback',
  'older-version': 'its CRL number is below the highest one ever applied, and a newer version of the object exists',
  'same-number-other-content': 'its CRL number has been applied with other content: the CA has signed two CRLs under one number',
  'object-gone': 'a CRL object that was known is no longer there',
  'over-the-brake': 'more new revocations than the brake lets through: kept until a person approves this very list',
  'left-hold': 'entries on certificateHold have left the CRL: reactivation waits for a person',
  'ca-certificate-listed': 'the CRL names the certificate of a CA: a person decides',
  'mode-off': 'the capability is switched off',
  'mode-observe': 'the capability only observes: this is what it would have done',
  'emergency-stop': 'the emergency stop is set: nothing is changed until it is lifted',
  // approval of a held list
  approved: 'a person approved this very list',
  'hold-unknown': 'no list is held under this hash',
  'not-approved': 'the list is not in state APPROVED: an approval is used once',
  'list-altered': 'the stored list does not have the hash that was approved',
  // fast path: one event of the Private CA
  'revocation-event': 'the Private CA reported the revocation of this certificate',
  'not-a-success': 'the event reports a revocation that failed',
  'not-our-ca': 'the event names a Private CA that is not a trust anchor',
  'not-issued-here': 'the Private CA does not know the certificate that the event names',
  'handled-before': 'this revocation has been carried out before',
  // revoke: one certificate
  'as-asked': 'the registry says what it should not, and is set right',
  'first-stage': 'revoked in two stages: INACTIVE now, REVOKED later',
  'second-stage': 'the delay of a two-stage revocation is over',
  resumed: 'an earlier attempt had set the status and then died: the rest is done now',
  'registry-says-so': 'the registry was in that state already',
  'revocation-stands': 'a revocation is on record: certificateHold, which is less, does not replace it',
  'never-registered': 'AWS IoT does not know the certificate: remembered for the day on which it is registered',
  'gone-from-registry': 'the certificate was known, and has been deleted from the registry',
  'other-certificate': "the registry's own PEM is not the certificate that was named: nothing is done",
  'not-deactivated-by-us': 'reactivation of a certificate that this application did not deactivate for certificateHold',
  // record, reconcile: a revocation that was remembered for a certificate which has turned up
  'registered-after-revocation': 'a certificate has been registered whose revocation was on record before',
  'registered-again':
    'the registry has a living certificate that is on record as revoked: deleted and registered again, or a second one of its serial number',
  'left-half-done': 'a revocation was begun and never finished',
  'brake-keeps-back': 'more revocations than the brake lets through: the next reconciliation tries again',
  // operator, on the command line
  rejected: 'a person rejected this very list',
  reopened: 'a person put a rejected list up for decision again',
  'stop-lifted': 'a person lifted the emergency stop',
} as const;

export type Reason = keyof typeof REASONS;
