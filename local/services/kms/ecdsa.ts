/**
 * ECDSA over a digest that is given (FIPS 186-5 §6.4). Node's crypto hashes what it signs and has no call for a digest; here OpenSSL multiplies
 * the points where it can (ECDH computes kG), and the rest is arithmetic. Not in constant time: a key of the desk protects nothing.
 */
import { createECDH, randomBytes, type KeyObject } from 'node:crypto';

interface Curve {
  readonly name: string;
  readonly octets: number;
  /** The field, the order, the generator; a = -3 in all of them (FIPS 186-5, SP 800-186 §3.2.1). */
  readonly p: bigint;
  readonly n: bigint;
  readonly g: Point;
}
interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

const P256: Curve = {
  name: 'prime256v1',
  octets: 32,
  p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  g: {
    x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
    y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  },
};
const P384: Curve = {
  name: 'secp384r1',
  octets: 48,
  p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
  n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  g: {
    x: 0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
    y: 0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
  },
};
const CURVES: Readonly<Record<string, Curve>> = { prime256v1: P256, secp384r1: P384 };

const toNumber = (octets: Uint8Array): bigint => BigInt(`0x${Buffer.from(octets).toString('hex') || '0'}`);
const toOctets = (value: bigint, length: number): Buffer => Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex');
const modulo = (value: bigint, by: bigint): bigint => ((value % by) + by) % by;

/** Extended Euclid. `value` and the prime `by` are coprime. */
function inverse(value: bigint, by: bigint): bigint {
  let [a, b, x, y] = [modulo(value, by), by, 1n, 0n];
  while (a > 1n) {
    const quotient = a / b;
    [a, b] = [b, a % b];
    [x, y] = [y, x - quotient * y];
  }
  return modulo(x, by);
}

function curveOf(key: KeyObject): Curve {
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (!curve)
    throw new Error(`ECDSA: got curve ${key.asymmetricKeyDetails?.namedCurve}, expected one of ${Object.keys(CURVES).join(', ')}`);
  return curve;
}

const fromJwk = (text: string | undefined): bigint => toNumber(Buffer.from(text ?? '', 'base64url'));

/** The leftmost bits of the digest, as many as the order has. */
function truncated({ octets }: Curve, digest: Uint8Array): bigint {
  return toNumber(digest.subarray(0, octets));
}

/** DER `Ecdsa-Sig-Value` (RFC 3279 §2.2.3), as KMS answers it. */
export function signDigest(privateKey: KeyObject, digest: Uint8Array): Buffer {
  const curve = curveOf(privateKey);
  const { n, octets, name } = curve;
  const d = fromJwk(privateKey.export({ format: 'jwk' }).d);
  for (;;) {
    // 64 bits more than the order has, so that the remainder has no bias worth the name (FIPS 186-5 A.3.1).
    const k = modulo(toNumber(randomBytes(octets + 8)), n - 1n) + 1n;
    const point = createECDH(name);
    point.setPrivateKey(toOctets(k, octets));
    const r = modulo(toNumber(point.getPublicKey().subarray(1, 1 + octets)), n);
    const s = modulo(inverse(k, n) * (truncated(curve, digest) + r * d), n);
    if (r !== 0n && s !== 0n) return encode(r, s);
  }
}

export function verifyDigest(publicKey: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  const curve = curveOf(publicKey);
  const { n } = curve;
  const decoded = decode(signature);
  if (!decoded || decoded.r <= 0n || decoded.r >= n || decoded.s <= 0n || decoded.s >= n) return false;
  const { x, y } = publicKey.export({ format: 'jwk' });
  const w = inverse(decoded.s, n);
  const own = multiply(curve, curve.g, modulo(truncated(curve, digest) * w, n));
  const theirs = multiply(curve, { x: fromJwk(x), y: fromJwk(y) }, modulo(decoded.r * w, n));
  const sum = add(curve, own, theirs);
  return sum !== undefined && modulo(sum.x, n) === decoded.r;
}

/** `undefined` is the point at infinity. */
function add({ p }: Curve, a: Point | undefined, b: Point | undefined): Point | undefined {
  if (!a || !b) return a ?? b;
  if (a.x === b.x && modulo(a.y + b.y, p) === 0n) return undefined;
  const slope = a.x === b.x ? (3n * a.x * a.x - 3n) * inverse(2n * a.y, p) : (b.y - a.y) * inverse(b.x - a.x, p);
  const x = modulo(slope * slope - a.x - b.x, p);
  return { x, y: modulo(slope * (a.x - x) - a.y, p) };
}

function multiply(curve: Curve, point: Point, factor: bigint): Point | undefined {
  let result: Point | undefined;
  let doubled: Point | undefined = point;
  for (let left = factor; left > 0n; left >>= 1n) {
    if (left & 1n) result = add(curve, result, doubled);
    doubled = add(curve, doubled, doubled);
  }
  return result;
}

function encode(...numbers: readonly bigint[]): Buffer {
  const integers = numbers.map((number) => {
    const hex = number.toString(16);
    const octets = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
    const content = octets[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), octets]) : octets;
    return Buffer.concat([Buffer.of(0x02, content.length), content]);
  });
  const body = Buffer.concat(integers);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

/** Two INTEGERs in a SEQUENCE of less than 128 octets, which both curves keep within; anything else is no signature. */
function decode(signature: Uint8Array): { readonly r: bigint; readonly s: bigint } | undefined {
  const der = Buffer.from(signature);
  const rLength = der[3] ?? 0;
  const sAt = 4 + rLength;
  const sLength = der[sAt + 1] ?? 0;
  const fits = der[0] === 0x30 && der[1] === der.length - 2 && der[2] === 0x02 && der[sAt] === 0x02 && sAt + 2 + sLength === der.length;
  if (!fits || rLength === 0 || sLength === 0) return undefined;
  const [r, s] = [toNumber(der.subarray(4, sAt)), toNumber(der.subarray(sAt + 2))];
  return encode(r, s).equals(der) ? { r, s } : undefined;
}
