/** The checksums of S3 that Node does not have: reflected CRCs by table. Check values for `123456789` are in the test. */

function table32(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    return value;
  });
}

const crc = (table: Uint32Array) => {
  return (body: Uint8Array): number => {
    let value = 0xffffffff;
    for (let index = 0; index < body.length; index++) value = (value >>> 8) ^ (table[(value ^ (body[index] ?? 0)) & 0xff] ?? 0);
    return (value ^ 0xffffffff) >>> 0;
  };
};

export const crc32 = crc(table32(0xedb88320));
/** Castagnoli. */
export const crc32c = crc(table32(0x82f63b78));

// CRC-64/NVME, polynomial 0x9A6C9329AC4BC9B5 reflected, kept as two 32-bit halves: BigInt arithmetic for each octet would be a hundred times slower.
const HIGH_POLYNOMIAL = 0x9a6c9329;
const LOW_POLYNOMIAL = 0xac4bc9b5;
const high = new Uint32Array(256);
const low = new Uint32Array(256);
for (let index = 0; index < 256; index++) {
  let upper = 0;
  let lower = index;
  for (let bit = 0; bit < 8; bit++) {
    const carry = lower & 1;
    lower = ((lower >>> 1) | (upper << 31)) >>> 0;
    upper >>>= 1;
    if (carry) {
      lower = (lower ^ LOW_POLYNOMIAL) >>> 0;
      upper = (upper ^ HIGH_POLYNOMIAL) >>> 0;
    }
  }
  high[index] = upper;
  low[index] = lower;
}

export function crc64nvme(body: Uint8Array): bigint {
  let upper = 0xffffffff;
  let lower = 0xffffffff;
  for (let index = 0; index < body.length; index++) {
    const entry = (lower ^ (body[index] ?? 0)) & 0xff;
    lower = (((lower >>> 8) | (upper << 24)) ^ (low[entry] ?? 0)) >>> 0;
    upper = ((upper >>> 8) ^ (high[entry] ?? 0)) >>> 0;
  }
  return (BigInt((upper ^ 0xffffffff) >>> 0) << 32n) | BigInt((lower ^ 0xffffffff) >>> 0);
}
