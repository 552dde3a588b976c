import { GetParametersByPathCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { type TrustAnchor, TrustAnchorSettings } from '../../domain/pki/trust-anchor.js';
import type { Clock } from '../ports/clock.js';
import type { TrustAnchors } from '../ports/trust-anchors.js';

/** Anchors change by deployment only: reading them once a minute is often enough, and keeps SSM out of the hot path. */
const KEPT_MS = 60_000;

/** Reads `<path>/<anchorId>/certificate` and `<path>/<anchorId>/settings`. Throws when there is no anchor, or when one is incomplete or unreadable. */
export function ssmTrustAnchors(client: SSMClient, path: string, clock: Clock): TrustAnchors {
  let kept: { readonly anchors: readonly TrustAnchor[]; readonly untilMs: number } | undefined;

  async function parameters(): Promise<Map<string, Map<string, string>>> {
    const byAnchor = new Map<string, Map<string, string>>();
    let NextToken: string | undefined;
    do {
      const page = await client.send(new GetParametersByPathCommand({ Path: path, Recursive: true, NextToken }));
      for (const { Name = '', Value = '' } of page.Parameters ?? []) {
        const [anchorId = '', field = ''] = Name.slice(path.length + 1).split('/');
        byAnchor.set(anchorId, (byAnchor.get(anchorId) ?? new Map<string, string>()).set(field, Value));
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return byAnchor;
  }

  return {
    async all() {
      if (kept !== undefined && clock.nowMs() < kept.untilMs) return kept.anchors;
      const anchors = [...(await parameters())].map(([anchorId, fields]) => {
        const certificatePem = fields.get('certificate');
        const settings = fields.get('settings');
        if (certificatePem === undefined || settings === undefined)
          throw new Error(`trust anchor ${anchorId}: ${path} lacks its certificate or its settings`);
        return { anchorId, certificatePem, ...TrustAnchorSettings.parse(JSON.parse(settings)) };
      });
      if (anchors.length === 0) throw new Error(`trust anchors: none below ${path}`);
      kept = { anchors, untilMs: clock.nowMs() + KEPT_MS };
      return anchors;
    },
  };
}
