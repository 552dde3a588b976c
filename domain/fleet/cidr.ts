/**
 * IP addresses and CIDR blocks, of both versions, as AWS IoT Device Defender compares them. An IPv4 address that comes in the notation of IPv6
 * (RFC 4291 §2.5.5.2, `::ffff:192.0.2.1`) is the IPv4 address.
 */
export interface Address {
  readonly version: 4 | 6;
  readonly bits: bigint;
}

/** All addresses whose first `length` bits are those of `bits`. */
export interface Cidr extends Address {
  readonly length: number;
}

const WIDTH = { 4: 32, 6: 128 } as const;
const MAPPED = 0xffffn;

/** `undefined`: no address. */
export function parseAddress(text: string): Address | undefined {
  const bits4 = parse4(text);
  if (bits4 !== undefined) return { version: 4, bits: bits4 };
  const bits6 = parse6(text);
  if (bits6 === undefined) return undefined;
  return bits6 >> 32n === MAPPED ? { version: 4, bits: bits6 & 0xffff_ffffn } : { version: 6, bits: bits6 };
}

/** `192.0.2.0/24`, `2001:db8::/32`; an address alone is the block of it alone. Bits beyond the length are ignored. `undefined`: no CIDR block. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', length, ...more] = text.split('/');
  const parsed = parseAddress(address);
  if (parsed === undefined || more.length > 0) return undefined;
  if (length === undefined) return { ...parsed, length: WIDTH[parsed.version] };
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  return bits <= WIDTH[parsed.version] ? { ...parsed, length: bits } : undefined;
}

/** A block of one version holds no address of the other. */
export function isInCidr(address: Address, block: Cidr): boolean {
  if (address.version !== block.version) return false;
  const rest = BigInt(WIDTH[block.version] - block.length);
  return address.bits >> rest === block.bits >> rest;
}

function parse4(text: string): bigint | undefined {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (octets === undefined || octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n);
}

function parse6(text: string): bigint | undefined {
  if (!text.includes(':')) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => groupsOf(half));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: halves.length === 2 ? missing : 0 }, () => 0), ...(tail ?? [])];
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n);
}

/** Groups of sixteen bits; the last may be an IPv4 address, which is two of them. */
function groupsOf(half: string): number[] | undefined {
  if (half === '') return [];
  const groups: number[] = [];
  const parts = half.split(':');
  for (const [index, part] of parts.entries()) {
    const bits4 = index === parts.length - 1 ? parse4(part) : undefined;
    if (bits4 !== undefined) groups.push(Number(bits4 >> 16n), Number(bits4 & 0xffffn));
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
