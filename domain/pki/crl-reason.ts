/** CRLReason of RFC 5280 §5.3.1, by its number. 7 is unused; 8 (removeFromCRL) is legal on delta CRLs only. */
export const CRL_REASONS = {
  0: 'unspecified',
  1: 'keyCompromise',
  2: 'cACompromise',
  3: 'affiliationChanged',
  4: 'superseded',
  5: 'cessationOfOperation',
  6: 'certificateHold',
  8: 'removeFromCRL',
  9: 'privilegeWithdrawn',
  10: 'aACompromise',
} as const;

export type CrlReason = (typeof CRL_REASONS)[keyof typeof CRL_REASONS];

/** What an entry asks of the AWS IoT registry. `certificateHold` is reversible by RFC 5280, `REVOKED` is not: so it is never REVOKED. */
export type RevocationAction = 'revoke' | 'hold';

export function actionOf(reason: CrlReason): RevocationAction {
  return reason === 'certificateHold' ? 'hold' : 'revoke';
}
