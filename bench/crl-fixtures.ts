import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCa, type KeyName } from '../test/builders/ca.js';
import { buildCrl, randomEntries } from '../test/builders/crl.js';

/** Serials applied before: what the diff is made against. */
export const APPLIED = 1_000_000;
const IDP = { uris: ['http://crl.example.com/partition-1.crl'] };

export interface CrlFixture {
  readonly crlFile: string;
  readonly certificateFile: string;
  readonly bytes: number;
}

/**
 * CRLs like those of a large private CA: 16-byte random serials (half of them with a 17th, zero, octet), four of five entries with a reason, CRL
 * number, authority key identifier, critical IDP. All but one in a thousand of their entries are among the applied serials.
 */
export class CrlFixtures {
  private readonly base: Buffer;
  private readonly fresh: Buffer;

  constructor(
    private readonly folder: string,
    private readonly applied: number,
  ) {
    this.base = randomEntries(applied, 'applied');
    this.fresh = randomEntries(Math.max(1, applied / 1000), 'fresh');
  }

  async make(entries: number, key: KeyName): Promise<CrlFixture> {
    const ca = await createCa({ key, name: 'C=DE,O=Example,CN=Fleet CA' });
    const fresh = Math.max(1, Math.round(entries / 1000));
    const entriesDer = Buffer.concat([take(this.fresh, fresh), take(this.base, entries - fresh)]);
    return this.write(`${key}-${entries}`, ca.certificatePem, buildCrl({ ca, crlNumber: 1_000n, idp: IDP, entriesDer }));
  }

  /** Has `child` write the state of the applied serials; its path. */
  async state(child: string): Promise<string> {
    const ca = await createCa();
    const { crlFile, certificateFile } = this.write('applied', ca.certificatePem, buildCrl({ ca, entriesDer: this.base }));
    const stateFile = join(this.folder, `applied-${this.applied}.serials`);
    const { status, stderr } = spawnSync(process.execPath, [child, 'parse', crlFile, certificateFile, '', stateFile], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`state of the applied serials: ${stderr}`);
    return stateFile;
  }

  private write(name: string, certificatePem: string, der: Buffer): CrlFixture {
    const [crlFile, certificateFile] = [join(this.folder, `${name}.crl`), join(this.folder, `${name}.pem`)];
    writeFileSync(crlFile, der);
    writeFileSync(certificateFile, certificatePem);
    return { crlFile, certificateFile, bytes: der.length };
  }
}

/** The first `count` entries; each is shorter than 128 octets. */
function take(entries: Buffer, count: number): Buffer {
  let end = 0;
  for (let i = 0; i < count; i += 1) end += 2 + entries[end + 1]!;
  return entries.subarray(0, end);
}
