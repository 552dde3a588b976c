/**
 * Where a rotation stands on the device: one small file, `rotation.json`, replaced after each step. No file: no rotation is under way.
 *
 *     (none) → accepted → key-made → request-sent → certificate-stored → trial-connected → proof-sent → proved → switched → old-deleted → (none)
 *                  └─────────┴──────────┴──────────────┴───────────────────┴──────────────┴──► failing → (none)
 *
 * A state says what is *done*, but for the two that precede a message: `request-sent` and `proof-sent` are written before it goes out. The first
 * because the very same request must be sent again after a power cut: another one would be refused (`another-request`). The second because from the first proof on
 * the cloud may switch the old certificate off at any moment: the new pair must not be given up lightly any more.
 */
import { z } from 'zod';
import { Pair } from '../storage/identities.js';
import type { Files } from '../storage/files.js';

export const RECORD = 'rotation.json';
/** Where a record goes that cannot be read. */
export const UNREADABLE = 'rotation.unreadable';

const Begun = z.object({
  jobId: z.string(),
  executionNumber: z.number().int(),
  versionNumber: z.number().int(),
  /** Names everything that this rotation makes: jobId and executionNumber. */
  label: z.string(),
  /** The identity to be replaced, as the pointer had it when the job was accepted. */
  old: Pair,
});
const WithKey = Begun.extend({ key: z.string() });
const WithCertificate = Begun.extend({ fresh: Pair, certificateId: z.string() });

export const Rotation = z.discriminatedUnion('state', [
  Begun.extend({ state: z.literal('accepted') }),
  WithKey.extend({ state: z.literal('key-made') }),
  /** `csr`: DER in base64, as it is sent. */
  WithKey.extend({ state: z.literal('request-sent'), csr: z.string() }),
  /** `refusals`: trial connections that were refused so far, in this life and those before. */
  WithCertificate.extend({ state: z.literal('certificate-stored'), refusals: z.number().int() }),
  WithCertificate.extend({ state: z.literal('trial-connected') }),
  WithCertificate.extend({ state: z.literal('proof-sent') }),
  WithCertificate.extend({ state: z.literal('proved') }),
  WithCertificate.extend({ state: z.literal('switched') }),
  WithCertificate.extend({ state: z.literal('old-deleted') }),
  Begun.extend({
    state: z.literal('failing'),
    reason: z.string(),
    /** A proof has been sent, or the new certificate was let in, which may count as one: the cloud may have taken it. */
    proofSent: z.boolean(),
    fresh: Pair.optional(),
    certificateId: z.string().optional(),
  }),
]);
export type Rotation = z.infer<typeof Rotation>;
export type RotationStep = Rotation['state'];
export type In<S extends RotationStep> = Extract<Rotation, { readonly state: S }>;

export class RotationRecord {
  constructor(private readonly files: Files) {}

  /**
   * A record that cannot be read (a worn-out chip; an older firmware put back) is set aside and nothing is deleted: a device that stays connected can be
   * helped, one that refuses to start cannot.
   */
  async load(warn: (message: string) => void): Promise<Rotation | undefined> {
    const bytes = await this.files.read(RECORD);
    if (!bytes) return undefined;
    try {
      return Rotation.parse(JSON.parse(bytes.toString('utf8')));
    } catch {
      warn(`${RECORD} cannot be read: set aside as ${UNREADABLE}`);
      await this.files.replace(UNREADABLE, bytes);
      await this.files.remove(RECORD);
      return undefined;
    }
  }

  async save(rotation: Rotation): Promise<void> {
    await this.files.replace(RECORD, `${JSON.stringify(rotation)}\n`);
  }

  async clear(): Promise<void> {
    await this.files.remove(RECORD);
  }
}
