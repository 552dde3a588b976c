/**
 * A CA that is not AWS's, made by the `openssl` program where there is one, else by @peculiar/x509: the point of the scene is that neither
 * AWS nor this project's own code wrote the CRL. The key stays in `directory`.
 */
import { execFile } from 'node:child_process';
import { randomBytes, webcrypto } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
const run = promisify(execFile);

export interface RevokedEntry {
  /** Hexadecimal. */
  readonly serialNumber: string;
  /** RFC 5280 name. */
  readonly reason: 'keyCompromise' | 'cessationOfOperation' | 'superseded' | 'certificateHold';
}

export interface ExternalCa {
  /** `OpenSSL 3.0.19` or the library's name: what the newcomer is told. */
  readonly madeBy: string;
  readonly certificatePem: string;
  privateKeyPem(): Promise<string>;
  /** Signs a certificate request for a device. Returns PEM. */
  sign(csrPem: string, at: Date): Promise<string>;
  /** Writes a full CRL, DER. */
  crl(number: number, entries: readonly RevokedEntry[], at: Date): Promise<Buffer>;
}

const CRL_DAYS = 7;
const DEVICE_DAYS = 365;
const newSerial = () => `4${randomBytes(16).toString('hex').slice(1)}`; // positive, 16 octets

/**
 * @param imitated certificate of a CA whose subject key identifier is claimed: what a forger does, who can copy everything but the key.
 */
export async function createExternalCa(directory: string, commonName: string, at: Date, imitated?: string): Promise<ExternalCa> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const version = await run('openssl', ['version']).then(
    ({ stdout }) => stdout.trim().split(' ').slice(0, 2).join(' '),
    () => undefined,
  );
  const keyId =
    imitated === undefined ? undefined : new x509.X509Certificate(imitated).getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  return version ? withOpenssl(directory, commonName, version, keyId) : withLibrary(commonName, at, keyId);
}

/** ASN.1 GeneralizedTime as the openssl command line wants it. */
const opensslTime = (date: Date) => `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
/** UTCTime of openssl's index file. */
const indexTime = (date: Date) => opensslTime(date).slice(2);

// openssl dates its own root by the wall clock: the desk starts there.
async function withOpenssl(directory: string, commonName: string, madeBy: string, keyId?: string): Promise<ExternalCa> {
  const file = (name: string) => path.join(directory, name);
  writeFileSync(
    file('openssl.cnf'),
    [
      '[ca]\ndefault_ca = factory\n[factory]\ndatabase = index.txt\ncrlnumber = crlnumber\ncertificate = ca.pem\nprivate_key = ca.key\nnew_certs_dir = .\nserial = serial',
      `default_md = sha256\ndefault_crl_days = ${CRL_DAYS}\ndefault_days = ${DEVICE_DAYS}\ncrl_extensions = crl_ext\npolicy = any\nunique_subject = no`,
      '[any]\ncommonName = supplied\n[crl_ext]\nauthorityKeyIdentifier = keyid:always',
      '[req]\ndistinguished_name = dn\n[dn]\n',
      '[root]\nbasicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign,cRLSign',
      `subjectKeyIdentifier = ${keyId ?? 'hash'}`,
      '[device]\nbasicConstraints = critical,CA:FALSE\nkeyUsage = critical,digitalSignature\nextendedKeyUsage = clientAuth\nauthorityKeyIdentifier = keyid\nsubjectKeyIdentifier = hash',
    ].join('\n'),
  );
  // An empty database: `openssl ca` in this folder signs, revokes and makes CRLs for whoever wants to try with devices of his own.
  writeFileSync(file('index.txt'), '');
  writeFileSync(file('crlnumber'), '01\n');
  writeFileSync(file('serial'), `${newSerial()}\n`);
  const openssl = (...args: string[]) => run('openssl', args, { cwd: directory });
  await openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ca.key');
  await openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    'ca.key',
    '-config',
    'openssl.cnf',
    '-extensions',
    'root',
    '-subj',
    `/CN=${commonName}`,
    '-days',
    '3650',
    '-sha256',
    '-out',
    'ca.pem',
  );
  let turn = Promise.resolve();
  const exclusively = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  };
  return {
    madeBy,
    certificatePem: readFileSync(file('ca.pem'), 'utf8'),
    privateKeyPem: () => readFile(file('ca.key'), 'utf8'),
    async sign(csrPem) {
      const serial = newSerial();
      writeFileSync(file(`${serial}.csr`), csrPem);
      await openssl(
        'x509',
        '-req',
        '-in',
        `${serial}.csr`,
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-set_serial',
        `0x${serial}`,
        '-days',
        String(DEVICE_DAYS),
        '-sha256',
        '-extfile',
        'openssl.cnf',
        '-extensions',
        'device',
        '-out',
        `${serial}.pem`,
      );
      return readFileSync(file(`${serial}.pem`), 'utf8');
    },
    crl: (number, entries, now) =>
      exclusively(async () => {
        const expiry = indexTime(new Date(now.getTime() + DEVICE_DAYS * 86_400_000));
        writeFileSync(
          file('index.txt'),
          entries
            .map(
              (e) =>
                `R\t${expiry}\t${indexTime(now)},${e.reason === 'certificateHold' ? 'holdInstruction,holdInstructionNone' : e.reason}\t${evenHex(e.serialNumber)}\tunknown\t/CN=device\n`,
            )
            .join(''),
        );
        const hex = number.toString(16);
        writeFileSync(file('crlnumber'), `${hex.length % 2 ? '0' : ''}${hex}\n`);
        const nextUpdate = opensslTime(new Date(now.getTime() + CRL_DAYS * 86_400_000));
        await openssl(
          'ca',
          '-gencrl',
          '-config',
          'openssl.cnf',
          '-crl_lastupdate',
          opensslTime(now),
          '-crl_nextupdate',
          nextUpdate,
          '-out',
          'crl.pem',
        );
        await openssl('crl', '-in', 'crl.pem', '-outform', 'DER', '-out', 'crl.der');
        return readFileSync(file('crl.der'));
      }),
  };
}

const evenHex = (hex: string) => (hex.length % 2 ? `0${hex}` : hex).toUpperCase();

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const REASON = { keyCompromise: 1, superseded: 4, cessationOfOperation: 5, certificateHold: 6 } as const;

async function withLibrary(commonName: string, at: Date, keyId?: string): Promise<ExternalCa> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=${commonName}`,
    notBefore: new Date(at.getTime() - 3_600_000),
    notAfter: new Date(at.getTime() + 3650 * 86_400_000),
    signingAlgorithm: ALGORITHM,
    keys: keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      keyId === undefined ? await x509.SubjectKeyIdentifierExtension.create(keys.publicKey) : new x509.SubjectKeyIdentifierExtension(keyId),
    ],
  });
  const authorityKey =
    keyId === undefined
      ? await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey)
      : new x509.AuthorityKeyIdentifierExtension(keyId);
  return {
    madeBy: '@peculiar/x509',
    certificatePem: `${root.toString('pem')}\n`,
    privateKeyPem: async () => x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'),
    async sign(csrPem, now) {
      const csr = new x509.Pkcs10CertificateRequest(csrPem);
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: newSerial(),
        subject: csr.subject,
        issuer: root.subject,
        notBefore: new Date(now.getTime() - 3_600_000),
        notAfter: new Date(now.getTime() + DEVICE_DAYS * 86_400_000),
        signingAlgorithm: ALGORITHM,
        signingKey: keys.privateKey,
        publicKey: csr.publicKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
          authorityKey,
        ],
      });
      return `${certificate.toString('pem')}\n`;
    },
    async crl(number, entries, now) {
      const crl = await x509.X509CrlGenerator.create({
        issuer: root.subject,
        thisUpdate: now,
        nextUpdate: new Date(now.getTime() + CRL_DAYS * 86_400_000),
        signingAlgorithm: ALGORITHM,
        signingKey: keys.privateKey,
        entries: entries.map((e) => ({
          serialNumber: e.serialNumber,
          revocationDate: now,
          reason: REASON[e.reason] as unknown as x509.X509CrlReason,
        })),
        extensions: [authorityKey, new x509.Extension('2.5.29.20', false, derInteger(number))],
      });
      return Buffer.from(crl.rawData);
    },
  };
}

/** DER INTEGER of a small non-negative number. */
function derInteger(value: number): Uint8Array {
  const hex = value.toString(16);
  const octets = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  const content = octets[0]! & 0x80 ? Buffer.concat([Buffer.from([0]), octets]) : octets;
  return Uint8Array.from([0x02, content.length, ...content]);
}
