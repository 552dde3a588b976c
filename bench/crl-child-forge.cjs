// One run of node-forge's asn1 (the best JavaScript library by our measurements) over a CRL: parse, enumerate, verify by node:crypto.
'use strict';
const { createVerify, X509Certificate } = require('node:crypto');
const { readFileSync, writeSync } = require('node:fs');
const forge = require('node-forge');

const [, , crlFile, certificateFile, hash] = process.argv;
const der = readFileSync(crlFile);
const outer = forge.asn1.fromDer(forge.util.createBuffer(der.toString('binary')));
const [tbs, , signature] = outer.value;
const list = tbs.value.find((part, i) => i >= 4 && part.type === forge.asn1.Type.SEQUENCE && part.tagClass === forge.asn1.Class.UNIVERSAL);
let seen = 0;
let length = 0;
for (const entry of list.value) {
  const [serial, date, extensions] = entry.value;
  length += serial.value.length + date.value.length + (extensions === undefined ? 0 : extensions.value.length);
  seen += 1;
}
const start = 2 + (der[1] & 0x7f);
const contentLength = Number.parseInt(der.subarray(start + 2, start + 2 + (der[start + 1] & 0x7f)).toString('hex'), 16);
const message = der.subarray(start, start + 2 + (der[start + 1] & 0x7f) + contentLength);
const verified = createVerify(hash)
  .update(message)
  .verify(new X509Certificate(readFileSync(certificateFile)).publicKey, Buffer.from(signature.bitStringContents.slice(1), 'binary'));
if (!verified) throw new Error('forge child: the signature does not verify');
writeSync(1, `${JSON.stringify({ seen, length })}\n`);
