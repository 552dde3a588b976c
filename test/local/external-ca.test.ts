import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createExternalCa } from '../../local/scenes/external-ca.js';

test('the factory CA is ready for `openssl ca`: it signs, revokes and makes a CRL for whoever tries devices of his own', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'fleetwarden-factory-'));
  const openssl = (...args: string[]): string => execFileSync('openssl', args, { cwd: directory, encoding: 'utf8', stdio: 'pipe' });
  try {
    await createExternalCa(directory, 'Factory CA', new Date());
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'my.key');
    openssl('req', '-new', '-key', 'my.key', '-config', 'openssl.cnf', '-subj', '/CN=my-pump', '-out', 'my.csr');
    openssl('ca', '-batch', '-config', 'openssl.cnf', '-extensions', 'device', '-notext', '-in', 'my.csr', '-out', 'my.pem');
    openssl('ca', '-config', 'openssl.cnf', '-revoke', 'my.pem', '-crl_reason', 'keyCompromise');
    openssl('ca', '-config', 'openssl.cnf', '-gencrl', '-out', 'my.crl.pem');
    const serial = openssl('x509', '-in', 'my.pem', '-noout', '-serial').trim().split('=')[1];
    expect(openssl('crl', '-in', 'my.crl.pem', '-noout', '-text')).toContain(`Serial Number: ${serial}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
