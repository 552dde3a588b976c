/** The configuration document of the desk: one CA of AWS Private CA, one that is not AWS's, and one whose key lies in AWS KMS. */
export interface DeskConfigurationOptions {
  readonly externalCaPem: string;
  /** CA whose key is `OWN_CA_KEY_ID`. */
  readonly ownCaPem: string;
  /** Overrides below `revocation`, for benches and tests. */
  readonly revocation?: Readonly<Record<string, unknown>>;
}

/** How AWS evaluates these is not documented: the desk does not, and ends them as FAILED (local/services/iot/README.md). */
const NOT_AT_THE_DESK = [
  'REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK',
  'REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK',
  'INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK',
] as const;

/** A detector of the account's own: its events are violations (docs/detectors.md). */
export const DESK_DETECTOR = 'com.example.ids';
/** Things with this attribute are contained by no machine, whatever they do. */
export const NEVER_CONTAINED = 'role=gateway';

export const ANCHORS = { privateCa: 'fleet', external: 'factory', own: 'plant' } as const;
/** Key of AWS KMS that the desk has from the beginning. */
export const OWN_CA_KEY_ID = '5e1f51a0-0000-4000-8000-000000000001';

export function deskConfiguration({ externalCaPem, ownCaPem, revocation }: DeskConfigurationOptions): Record<string, unknown> {
  return {
    prefix: 'fleetwarden',
    trustAnchors: [
      {
        id: ANCHORS.privateCa,
        type: 'acm-pca',
        create: {
          commonName: 'Fleet Root CA',
          organization: 'Fleetwarden desk',
          keyAlgorithm: 'EC_prime256v1',
          validityYears: 10,
          crl: { type: 'COMPLETE', expirationDays: 7 },
        },
      },
      { id: ANCHORS.external, type: 'external', certificatePem: externalCaPem, crl: { distributionPoints: [] } },
      {
        id: ANCHORS.own,
        type: 'external',
        certificatePem: ownCaPem,
        signer: { type: 'kms', keyArn: `arn:aws:kms:eu-west-1:000000000000:key/${OWN_CA_KEY_ID}` },
        crl: {},
      },
    ],
    // A user's own deployment starts in `observe`; at the desk there is nothing to lose, and the point is to see it act.
    revocation: { mode: 'enforce', ...revocation },
    audit: {
      mode: 'on',
      // More than the window of rotation: some devices are found by the audit alone.
      expirationThresholdDays: 45,
      manage: { accountConfiguration: true, eventConfigurations: true },
      checks: Object.fromEntries(NOT_AT_THE_DESK.map((name) => [name, { enabled: false }])),
    },
    behaviour: {
      detect: 'built-in',
      // Nothing is metered here: everything is watched. Devices of the desk connect from this computer, and from 127.0.0.1.
      sources: { sent: true, received: true, subscriptions: true, logs: true },
      manage: { logging: true },
      behaviours: [
        { name: 'messages-sent', value: 100, datapointsToClear: 1 },
        { name: 'authorization-failures', value: 2, datapointsToClear: 1 },
        { name: 'source-address', operator: 'in-cidr-set', value: ['127.0.0.1/32', '::1/128'], datapointsToClear: 1 },
        { name: 'tcp-ports', datapointsToClear: 1 },
        { name: 'destination-addresses', response: 'contain', datapointsToClear: 1 },
      ],
    },
    quarantine: {
      mode: 'enforce',
      shutOffTimeoutMinutes: 5,
      shutOffCommand: true,
      brake: { floor: 4, perHour: 4, fleetShare: 0.05, groupShare: 0.5 },
      // What other devices hang on is left to people: the scenes have one.
      neverContain: { attributes: [NEVER_CONTAINED] },
      customSources: [{ source: DESK_DETECTOR, response: 'contain' }],
    },
    rotation: {
      mode: 'enforce',
      issuingAnchor: ANCHORS.privateCa,
      windowDays: 30,
      validityDays: 90,
      graceDays: 1,
      // The desk enforces quotas only when a test asks for it: a newcomer need not wait for them.
      ratePerSecond: 5,
      // A fleet of a few dozen: with the defaults all of it would have been told before the first failure is known.
      rollout: { baseRatePerMinute: 8, increaseAfterSucceeded: 8, abortAtPercent: 50, abortAfterExecuted: 5 },
    },
  };
}
