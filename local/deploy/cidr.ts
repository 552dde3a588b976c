/** Fn::Cidr for IPv4: `count` blocks that leave `bits` for hosts, from the start of `block`. */
export function cidrBlocks(block: string, count: number, bits: number): string[] {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(block);
  if (!match) throw new Error(`Fn::Cidr: got ${block}, expected an IPv4 block`);
  const [a, b, c, d, prefix] = match.slice(1).map(Number) as [number, number, number, number, number];
  const first = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  if (count * 2 ** bits > 2 ** (32 - prefix)) throw new Error(`Fn::Cidr: ${count} blocks of ${bits} bits do not fit into ${block}`);
  return Array.from({ length: count }, (_, index) => {
    const address = (first + index * 2 ** bits) >>> 0;
    return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}/${32 - bits}`;
  });
}
