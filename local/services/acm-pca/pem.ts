/** RFC 7468: 64 characters a line, no trailing line end (as GetCertificate answers). */
export function toPem(label: 'CERTIFICATE' | 'CERTIFICATE REQUEST', der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join('\n');
}

const BLOCK = /-----BEGIN (?:NEW )?(CERTIFICATE(?: REQUEST)?)-----\s+([A-Za-z0-9+/=\s]+?)-----END (?:NEW )?\1-----/g;

/** All blocks of a label, in order. */
export function fromPem(label: 'CERTIFICATE' | 'CERTIFICATE REQUEST', text: string): readonly Buffer[] {
  return [...text.matchAll(BLOCK)].filter((match) => match[1] === label).map((match) => Buffer.from(match[2] ?? '', 'base64'));
}
