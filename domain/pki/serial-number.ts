/**
 * A certificate serial number (RFC 5280 §4.1.2.2): lower-case hexadecimal of the positive integer, without leading zeros.
 * AWS writes the same number as decimal, as lower hex, as upper hex and with colons (FACTS A4), so strings are never compared
 * before they went through one of these constructors.
 */
export type SerialNumber = string & { readonly __brand: 'SerialNumber' };

const MAX_HEX_DIGITS = 40; // 20 octets, RFC 5280 §4.1.2.2

/** `"00:B7:C2"`, `"B7C2"`, `"0xb7c2"` → `b7c2`. Throws RangeError on anything that is not a positive hexadecimal integer of at most 20 octets. */
export function serialNumberFromHex(text: string): SerialNumber {
  const digits = text.replace(/^0x/i, '').replaceAll(':', '').toLowerCase();
  if (!/^[0-9a-f]+$/.test(digits)) throw new RangeError(`serial number: got "${text.slice(0, 60)}", expected hexadecimal digits`);
  const canonical = digits.replace(/^0+/, '');
  if (canonical === '') throw new RangeError('serial number: got 0, expected a positive integer');
  if (canonical.length > MAX_HEX_DIGITS)
    throw new RangeError(`serial number: got ${canonical.length} hexadecimal digits, expected at most ${MAX_HEX_DIGITS}`);
  return canonical as SerialNumber;
}

/** `"286535153982981100925020015808220737245"` → hex. Throws RangeError on anything that is not a positive decimal integer of at most 20 octets. */
export function serialNumberFromDecimal(text: string): SerialNumber {
  if (!/^\d{1,49}$/.test(text)) throw new RangeError(`serial number: got "${text.slice(0, 60)}", expected decimal digits`);
  return serialNumberFromHex(BigInt(text).toString(16));
}

/** Big-endian magnitude, leading zero octets allowed. */
export function serialNumberFromBytes(bytes: Uint8Array): SerialNumber {
  return serialNumberFromHex(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex'));
}
