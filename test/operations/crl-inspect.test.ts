/** `fleetwarden crl inspect` as scripts use it: the executable itself, its exit codes and its JSON. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createCa } from '../builders/ca.js';
import { buildCrl, crlPem } from '../builders/crl.js';

const EXECUTABLE = resolve(__dirname, '../../bin/fleetwarden.cjs');
const AT = '2026-11-02T00:00:00Z';
const folder = mkdtempSync(join(tmpdir(), 'fleetwarden-inspect-'));
const path = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  const ca = await createCa({ name: 'O=Example,CN=Fleet CA' });
  writeFileSync(path('ca.pem'), ca.certificatePem);
  writeFileSync(path('good.crl'), buildCrl({ ca, crlNumber: 300n, entries: [{ serial: 0xb7c2n }, { serial: 0xffn }] }));
  writeFileSync(path('good.pem'), crlPem(buildCrl({ ca, crlNumber: 300n })));
  writeFileSync(path('bare.crl'), buildCrl({ ca, crlNumber: null, nextUpdate: null, entries: [{ serial: 0xffn }] }));
  writeFileSync(path('forged.crl'), buildCrl({ ca, signWith: (await createCa()).privateKey }));
  writeFileSync(path('broken.crl'), 'not a CRL');
});

function run(args: readonly string[], input = ''): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [EXECUTABLE, 'crl', 'inspect', ...args], { input, encoding: 'utf8' });
  return { status, out: stdout, err: stderr };
}
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const GOOD = {
  accepted: true,
  reasons: [],
  issuer: 'CN=Fleet CA,O=Example',
  crlNumber: '300',
  thisUpdate: '2026-11-01T00:00:00Z',
  nextUpdate: '2026-12-01T00:00:00Z',
  entries: 2,
  serialsSha256: sha256('ff\nb7c2'),
};
const NOTHING = { issuer: null, crlNumber: null, thisUpdate: null, nextUpdate: null, entries: null, serialsSha256: null };

describe('fleetwarden crl inspect', () => {
  it('answers an acceptable CRL with exit code 0 and exactly the documented fields', () => {
    const { status, out } = run([path('good.crl'), '--issuer', path('ca.pem'), '--at', AT, '--json']);
    expect({ status, answer: JSON.parse(out) as unknown }).toEqual({ status: 0, answer: GOOD });
  });

  it('gives the digest of nothing for an empty list', () => {
    expect(JSON.parse(run([path('good.pem'), '--at', AT, '--json']).out)).toMatchObject({
      accepted: true,
      entries: 0,
      serialsSha256: sha256(''),
    });
  });

  it('answers a refused CRL with exit code 1, its reasons and what could be read', () => {
    const { status, out } = run([path('bare.crl'), '--at', AT, '--json']);
    expect({ status, answer: JSON.parse(out) as unknown }).toEqual({
      status: 1,
      answer: {
        ...GOOD,
        accepted: false,
        reasons: ['no-crl-number', 'no-next-update'],
        crlNumber: null,
        nextUpdate: null,
        entries: 1,
        serialsSha256: sha256('ff'),
      },
    });
  });

  it('answers what is no CRL with exit code 1 and nulls', () => {
    const { status, out } = run([path('broken.crl'), '--json']);
    expect({ status, answer: JSON.parse(out) as unknown }).toEqual({
      status: 1,
      answer: { accepted: false, reasons: ['not-one-pem-crl'], ...NOTHING },
    });
  });

  it('checks the signature where an issuer is given', () => {
    expect(JSON.parse(run([path('forged.crl'), '--issuer', path('ca.pem'), '--at', AT, '--json']).out)).toMatchObject({
      accepted: false,
      reasons: ['bad-signature'],
    });
    expect(run([path('forged.crl'), '--at', AT]).out).toContain('signature was not checked');
  });

  it('tells a person why, in sentences', () => {
    const { status, out } = run([path('bare.crl'), '--at', AT]);
    expect(status).toBe(1);
    expect(out).toContain('refused');
    expect(out).toContain('It has no nextUpdate.');
  });

  it.each<[string, () => readonly string[]]>([
    ['a day that no calendar has', () => [path('good.crl'), '--at', '2026-02-30T00:00:00Z']],
    ['no file', () => []],
    ['a file that is not there', () => [path('absent.crl')]],
    ['a folder', () => [folder]],
    ['an unknown option', () => [path('good.crl'), '--frobnicate']],
    ['a time that is none', () => [path('good.crl'), '--at', 'yesterday']],
    ['an issuer that is no certificate', () => [path('good.crl'), '--issuer', path('broken.crl')]],
    ['--stdin-list without --json', () => ['--stdin-list']],
  ])('ends with exit code 2 and says so on standard error: %s', (_, args) => {
    const { status, out, err } = run(args());
    expect({ status, out, hasMessage: err.length > 0 }).toEqual({ status: 2, out: '', hasMessage: true });
  });

  it('ends without a word when nobody reads its answers any longer', () => {
    const lines = `${JSON.stringify({ file: path('good.crl') })}\n`.repeat(2_000);
    const command = `"${process.execPath}" "${EXECUTABLE}" crl inspect --json --stdin-list | head -n 1`;
    const { stdout, stderr } = spawnSync('sh', ['-c', command], { input: lines, encoding: 'utf8' });
    expect({ answers: stdout.trim().split('\n').length, stderr }).toEqual({ answers: 1, stderr: '' });
  });

  it('answers a list line by line, in order, and goes on after a bad line', () => {
    const requests = [
      { file: path('good.crl'), issuer: path('ca.pem'), at: AT },
      { file: path('absent.crl') },
      { file: path('broken.crl') },
      { file: path('good.crl'), at: AT, issuer: null },
    ];
    const lines = requests.map((request) => JSON.stringify(request));
    lines.splice(2, 0, 'no JSON');
    const { status, out } = run(['--json', '--stdin-list'], `${lines.join('\n')}\n`);
    const answers = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(status).toBe(0);
    expect(answers).toEqual([
      { file: path('good.crl'), ...GOOD },
      {
        file: path('absent.crl'),
        error: expect.stringContaining('ENOENT') as unknown,
        accepted: false,
        reasons: ['unreadable-file'],
        ...NOTHING,
      },
      { file: null, error: expect.stringContaining('expected') as unknown, accepted: false, reasons: ['unreadable-line'], ...NOTHING },
      { file: path('broken.crl'), accepted: false, reasons: ['not-one-pem-crl'], ...NOTHING },
      { file: path('good.crl'), ...GOOD },
    ]);
  });
});
