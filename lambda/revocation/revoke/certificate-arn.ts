/**
 * From a serial number to the ARN of the certificate at the Private CA. The ARN ends in the serial number, but AWS documents write it in
 * several ways (FACTS A4): as hexadecimal, perhaps with leading zeros, and as decimal. Which one a CA uses is learned from the first ARN
 * of that very CA that was seen to work; until then all are tried. Whatever comes back is compared as a certificate, so a wrong guess
 * finds nothing, and never the wrong certificate.
 */
import type { SerialNumber } from '../../../domain/pki/serial-number.js';

/** ACM PCA makes serial numbers of 16 octets. */
const OCTETS_OF_ACM_PCA = 16;

const FORMS: readonly ((serialNumber: SerialNumber) => string)[] = [
  (serialNumber) => serialNumber.padStart(OCTETS_OF_ACM_PCA * 2, '0'),
  (serialNumber) => serialNumber,
  (serialNumber) => BigInt(`0x${serialNumber}`).toString(10),
];

export class CertificateArns {
  private readonly learned = new Map<string, typeof FORMS>();

  /** ARNs to try, most likely first, each once. */
  candidates(certificateAuthorityArn: string, serialNumber: SerialNumber): readonly string[] {
    const forms = this.learned.get(certificateAuthorityArn) ?? FORMS;
    return [...new Set(forms.map((form) => `${certificateAuthorityArn}/certificate/${form(serialNumber)}`))];
  }

  /** Takes note of an ARN under which this CA gave the certificate with this serial number. */
  learn(certificateAuthorityArn: string, certificateArn: string, serialNumber: SerialNumber): void {
    const tail = certificateArn.slice(certificateArn.lastIndexOf('/') + 1);
    const forms = FORMS.filter((form) => form(serialNumber) === tail);
    if (forms.length > 0) this.learned.set(certificateAuthorityArn, forms);
  }
}
