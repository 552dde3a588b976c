import { z } from 'zod';

/**
 * "ACM Private CA Certificate Revocation" (payload: eventbridge-pca-certificate-revocation.json). Best effort: it may never come, and the CRL decides then.
 * `resources` are the ARN of the CA and the ARN of the certificate, in this order.
 * https://docs.aws.amazon.com/privateca/latest/userguide/CloudWatchEvents.html
 */
export const RevocationEvent = z.object({
  source: z.literal('aws.acm-pca'),
  'detail-type': z.literal('ACM Private CA Certificate Revocation'),
  time: z.iso.datetime(),
  resources: z.tuple([z.string().startsWith('arn:'), z.string().startsWith('arn:')]),
  detail: z.object({ result: z.enum(['success', 'failure']) }),
});
export type RevocationEvent = z.infer<typeof RevocationEvent>;
