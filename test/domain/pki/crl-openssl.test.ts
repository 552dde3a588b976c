/** OpenSSL as independent judge: what we accept, it reads too, and finds the same serials in it. Skipped where the program is absent. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Certificate } from '../../../domain/pki/certificate.js';
import { readCrlBytes } from '../../../domain/pki/crl-reader.js';
import { createCa, type KeyName } from '../../builders/ca.js';
import { THIS_UPDATE, buildCrl, randomEntries } from '../../builders/crl.js';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.warn('OpenSSL as judge: skipped, there is no openssl program');

(hasOpenssl ? describe : describe.skip)('OpenSSL agrees', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fleetwarden-pki-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const serialsByOpenssl = (crl: Buffer, caPem: string): string[] => {
    const [crlFile, caFile] = [join(folder, 'crl.der'), join(folder, 'ca.pem')];
    writeFileSync(crlFile, crl);
    writeFileSync(caFile, caPem);
    const told = spawnSync('openssl', ['crl', '-inform', 'DER', '-in', crlFile, '-noout', '-text', '-CAfile', caFile], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    expect(told.stderr).toContain('verify OK');
    return [...told.stdout.matchAll(/Serial Number: ([0-9A-F]+)/g)].map(([, hex]) => hex!.toLowerCase().replace(/^0+/, '')).sort();
  };

  it.each<KeyName>(['P-256', 'P-384', 'P-521', 'RSA-2048'])('on a CRL of 2,000 random serials signed by %s', async (key) => {
    const ca = await createCa({ key });
    const crl = buildCrl({ ca, crlNumber: 3n, idp: { uris: ['http://crl.example/1.crl'] }, entriesDer: randomEntries(2_000, key) });
    const reading = readCrlBytes(crl, { atMs: THIS_UPDATE.getTime(), issuers: [{ certificate: Certificate.read(ca.certificatePem) }] });
    if (!reading.accepted) throw new Error(JSON.stringify(reading.refusals));
    expect([...reading.fresh].map(({ serialNumber }) => String(serialNumber)).sort()).toEqual(serialsByOpenssl(crl, ca.certificatePem));
  });

  it('on every small CRL that we accept', async () => {
    const ca = await createCa();
    const issuers = [{ certificate: Certificate.read(ca.certificatePem) }];
    const anySerial = fc.bigInt({ min: 1n, max: (1n << 160n) - 1n });
    fc.assert(
      fc.property(fc.uniqueArray(anySerial, { maxLength: 8 }), (serials) => {
        const crl = buildCrl({ ca, entries: serials.map((serial) => ({ serial })) });
        expect(readCrlBytes(crl, { atMs: THIS_UPDATE.getTime(), issuers }).accepted).toBe(true);
        expect(serialsByOpenssl(crl, ca.certificatePem)).toEqual(serials.map((serial) => serial.toString(16)).sort());
      }),
      { numRuns: 15 },
    );
  });

  it('on a CA and a CRL that it made itself', () => {
    const run = (...args: string[]): Buffer => execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
    const config = `[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=3\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n[req]\ndistinguished_name=n\nx509_extensions=c\n[n]\n[c]\nsubjectKeyIdentifier=hash\nbasicConstraints=critical,CA:true\nkeyUsage=critical,cRLSign,keyCertSign\n`;
    writeFileSync(join(folder, 'ca.cnf'), config);
    writeFileSync(join(folder, 'index.txt'), 'R\t301231235959Z\t260101000000Z,keyCompromise\tB7C2\tunknown\t/CN=dev-1\n');
    writeFileSync(join(folder, 'number'), '0A\n');
    run(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      'k.pem',
      '-out',
      'c.pem',
      '-subj',
      '/O=Else/CN=Other CA',
      '-config',
      'ca.cnf',
    );
    run('ca', '-config', 'ca.cnf', '-gencrl', '-keyfile', 'k.pem', '-cert', 'c.pem', '-out', 'crl.pem');
    const certificate = Certificate.read(run('x509', '-in', 'c.pem'));
    const reading = readCrlBytes(run('crl', '-in', 'crl.pem'), { atMs: Date.now(), issuers: [{ certificate }] });
    if (!reading.accepted) throw new Error(JSON.stringify(reading.refusals));
    expect(reading.facts).toMatchObject({ issuer: 'CN=Other CA,O=Else', crlNumber: 10n });
    expect([...reading.fresh]).toMatchObject([{ serialNumber: 'b7c2', reason: 'keyCompromise' }]);
  });
});
