/**
 * AWS Private CA as issuer of device certificates. The template says what comes into the certificate: `EndEntityClientAuthCertificate` gives
 * CA:FALSE, digitalSignature and keyEncipherment, and clientAuth; `_APIPassthrough` takes the subject from this call and not from the request
 * (FACTS A5; https://docs.aws.amazon.com/privateca/latest/userguide/template-definitions.html).
 */
import {
  GetCertificateCommand,
  IssueCertificateCommand,
  RevokeCertificateCommand,
  type ACMPCAClient,
  type SigningAlgorithm,
} from '@aws-sdk/client-acm-pca';
import { Certificate } from '../../domain/pki/certificate.js';
import { derToPem } from '../../domain/pki/pem.js';
import { RequestRefusedByCa, type IssuingCa } from '../ports/issuing-ca.js';
import type { TrustAnchors } from '../ports/trust-anchors.js';
import { errorName } from './retry.js';

const TEMPLATE = 'EndEntityClientAuthCertificate_APIPassthrough/V1';

const ECDSA: Readonly<Record<string, SigningAlgorithm>> = {
  prime256v1: 'SHA256WITHECDSA',
  secp384r1: 'SHA384WITHECDSA',
  secp521r1: 'SHA512WITHECDSA',
};

/** The algorithm must be of the family of the CA's own key (PAPI IssueCertificate). */
function signingAlgorithm({ publicKey }: Certificate): SigningAlgorithm {
  const algorithm = publicKey.asymmetricKeyType === 'rsa' ? 'SHA256WITHRSA' : ECDSA[publicKey.asymmetricKeyDetails?.namedCurve ?? ''];
  if (algorithm === undefined) throw new Error(`issuing CA: got a key of type ${publicKey.asymmetricKeyType}, expected RSA or ECDSA`);
  return algorithm;
}

/** What AWS Private CA answers about the request itself: asking again changes nothing (PAPI IssueCertificate). */
const ABOUT_THE_REQUEST: ReadonlySet<string | undefined> = new Set(['MalformedCSRException', 'InvalidArgsException']);

const refusedForGood = (error: unknown): never => {
  const name = errorName(error);
  throw name !== undefined && ABOUT_THE_REQUEST.has(name) ? new RequestRefusedByCa(name) : error;
};

/** Throws, at the first call, when the anchor is not configured or is not a Private CA. */
export function acmIssuingCa(client: ACMPCAClient, anchors: TrustAnchors, anchorId: string): IssuingCa {
  async function anchor(): Promise<{ readonly arn: string; readonly certificatePem: string }> {
    const found = (await anchors.all()).find((one) => one.anchorId === anchorId);
    if (found?.certificateAuthorityArn === undefined)
      throw new Error(`issuing CA: got trust anchor "${anchorId}", expected one of type acm-pca`);
    return { arn: found.certificateAuthorityArn, certificatePem: found.certificatePem };
  }

  return {
    async issue({ csrDer, commonName, validityDays, idempotencyToken }) {
      const { arn, certificatePem } = await anchor();
      const partition = arn.split(':')[1];
      const { CertificateArn } = await client
        .send(
          new IssueCertificateCommand({
            CertificateAuthorityArn: arn,
            // The API wants the PEM, as octets (PAPI IssueCertificate).
            Csr: Buffer.from(derToPem(csrDer, 'CERTIFICATE REQUEST')),
            SigningAlgorithm: signingAlgorithm(Certificate.read(certificatePem)),
            TemplateArn: `arn:${partition}:acm-pca:::template/${TEMPLATE}`,
            ApiPassthrough: { Subject: { CommonName: commonName } },
            Validity: { Type: 'DAYS', Value: validityDays },
            IdempotencyToken: idempotencyToken,
          }),
        )
        .catch(refusedForGood);
      if (CertificateArn === undefined) throw new Error('IssueCertificate: got no CertificateArn');
      return CertificateArn;
    },

    async fetch(reference) {
      const { arn } = await anchor();
      try {
        const { Certificate: pem } = await client.send(
          new GetCertificateCommand({ CertificateAuthorityArn: arn, CertificateArn: reference }),
        );
        if (pem === undefined) throw new Error(`GetCertificate ${reference}: got no certificate`);
        return pem;
      } catch (error) {
        if (errorName(error) === 'RequestInProgressException') return undefined;
        throw error;
      }
    },

    async supersede(serialNumber) {
      const { arn } = await anchor();
      try {
        await client.send(
          new RevokeCertificateCommand({
            CertificateAuthorityArn: arn,
            CertificateSerial: serialNumber,
            RevocationReason: 'SUPERSEDED',
          }),
        );
      } catch (error) {
        if (errorName(error) !== 'RequestAlreadyProcessedException') throw error;
      }
    },
  };
}
