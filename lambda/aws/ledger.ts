/**
 * Keys of the ledger table. One table for everything that must be remembered and is not a certificate:
 *
 *     pk                                 sk                                     what
 *     CRL#<issuerKeyId>#<partition>      HIGH_WATER                             highest CRL ever applied
 *     <subject of a decision>            <RFC 3339 time>#<order>#<random>       audit trail, append only
 *     HOLD                               <hash>                                 list over the brake
 *     BRAKE                              WINDOW | RUN#<runId>                   what was let through lately
 *     PACE                               <name>                                 next free slot
 *     CONTROL                            STOP                                   emergency stop
 *     DUE                                <RFC 3339 time>#<issuerId>#<serial>    second stage that waits
 *     DUE#<issuerId>#<serial>            DUE                                    … and which row it is
 *     RECONCILE                          CHECKPOINT                             how far the reconciliation came
 *     ROTATION#<oldCertificateId>        ROTATION                               a rotation, and rows to find it: rotation-items.ts
 *     CAMPAIGN                           <campaignId>                           a campaign; JOB#<jobId> / CAMPAIGN leads to it
 *     AUDIT                              <taskId>                               an audit of ours, and rows about it: audit-records.ts
 *     SETTING                            <name of the setting>                  what we have set in a setting of the account
 *     ISSUED                             <RFC 3339 time>#<certificateId>        issued for a rotation, until it is seen to have arrived
 *     BY-HAND                            <anchorId>#<serialNumber>              people revoke it at its CA
 *     SIGNER#<anchorId>                  CRL | SERIALS                          CRL numbers and secret of a CA whose key we hold
 *     SIGNED#<anchorId>                  <serialNumber>                         a certificate that it signed; REVOKED#<anchorId>: on its next CRL
 *     STANDING#<bucket>                  <clientId>#<behaviour>                 datapoints that were not normal, a violation that is open: violations-standings.ts
 *     VIOLATION#<violationId>            VIOLATION                              a violation of the built-in monitor, and what people judged it to be; VIOLATIONS#<thingName>: the open ones
 *     PRESENCE#<bucket>                  <clientId>                             is it connected, since when, from where
 *     CONTAINED#<thingName>              CONTAINED                              the thing is isolated; rows beside it: containment-records.ts
 *     REPAIR-POLICY                      <policyName>                           repair policy of one containment, as long as it is at AWS IoT: repair-policies.ts
 *     LOOK                               <thingName>                            from when a look at a contained thing may be asked for
 *     CONTAINMENT-BOOKED                 <containmentId>                        what the brake of quarantine counts: containment-budget.ts
 *     HOLD-CONTAIN                       <hash>                                 list of containments over that brake
 *     THING#<thingName>                  <RFC 3339 time>#<order>#<random>       audit trail of one thing
 */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** Where the ledger is. */
export interface Ledger {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
}

/** An item as it comes: key attributes and whatever the adapter put there. */
export type Item = Readonly<Record<string, unknown>>;
