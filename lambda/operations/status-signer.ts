/** What `status` says of the CAs whose keys are in KMS, where there are any: the CRL that was published last. */
import type { Application } from './application.js';
import { bad, doubtful, duration, good, time } from './words.js';

/** Less of its validity left than this is an alarm as well (crl-publish-late). */
const SHARE_LEFT = 0.25;

export type SignerStatus = NonNullable<Awaited<ReturnType<typeof signerStatus>>>;

export async function signerStatus({ parameters, anchors, crlPublications, clock }: Application) {
  if (parameters.publishQueueUrl === undefined) return undefined;
  const nowMs = clock.nowMs();
  const ours = (await anchors.all()).flatMap(({ anchorId, signer }) => (signer === undefined ? [] : [{ anchorId, signer }]));
  return Promise.all(
    ours.map(async ({ anchorId, signer }) => {
      const { published } = await crlPublications.of(anchorId);
      if (published === undefined) return { anchorId, keyArn: signer.keyArn };
      const { crlNumber, entries, thisUpdateMs, nextUpdateMs } = published;
      const [left, whole] = [nextUpdateMs - nowMs, nextUpdateMs - thisUpdateMs];
      const crl = { crlNumber, entries, thisUpdate: time(thisUpdateMs), nextUpdate: time(nextUpdateMs) };
      const state = left <= 0 ? ('expired' as const) : left < SHARE_LEFT * whole ? ('late' as const) : ('current' as const);
      return { anchorId, keyArn: signer.keyArn, crl: { ...crl, secondsLeft: Math.max(0, Math.floor(left / 1000)), state } };
    }),
  );
}

const COLOUR = { current: good, late: doubtful, expired: bad } as const;

export function signerLines(cas: SignerStatus): readonly (readonly [string, string])[] {
  return cas.map(({ anchorId, crl }) => {
    if (crl === undefined) return [`CA ${anchorId}`, bad('has published no CRL yet')];
    const { crlNumber, entries, nextUpdate, secondsLeft, state } = crl;
    const left = state === 'expired' ? `EXPIRED at ${nextUpdate}` : `ends in ${duration(secondsLeft * 1000)}`;
    return [`CA ${anchorId}`, `CRL ${crlNumber}, ${entries} entries, ${COLOUR[state](left)}`];
  });
}
