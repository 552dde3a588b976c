import { X509Certificate } from 'node:crypto';
import type { z } from 'zod';

/** An SSM standard parameter holds 4096 characters. */
const MAX_PEM_LENGTH = 4096;

/** Adds an issue unless the text is one PEM certificate of a CA: a leaf that was pinned by mistake would make every CRL unverifiable. */
export function caCertificatePem(pem: string, context: z.RefinementCtx): void {
  const refuse = (message: string): void => context.addIssue({ code: 'custom', input: `${pem.slice(0, 40)}…`, message });
  if (pem.length > MAX_PEM_LENGTH) return refuse(`expected at most ${MAX_PEM_LENGTH} characters, the size of a parameter`);
  if (pem.match(/-----BEGIN CERTIFICATE-----/g)?.length !== 1) return refuse('expected exactly one PEM certificate');
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return refuse('expected a PEM certificate that can be read');
  }
  if (!certificate.ca) refuse('expected the certificate of a CA (basicConstraints CA:TRUE)');
}
