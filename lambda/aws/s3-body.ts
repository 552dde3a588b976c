/**
 * The bytes of an S3 object, and an error if they are not all there: a connection that is cut must look like trouble (retry), never like a
 * shorter object (a truncated CRL would be refused and the alarm would point at the CA).
 */
export async function* wholeBody(name: string, body: unknown, sizeBytes: number | undefined): AsyncIterable<Uint8Array> {
  let received = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    received += chunk.length;
    yield chunk;
  }
  if (sizeBytes !== undefined && received !== sizeBytes) throw new Error(`${name}: got ${received} bytes, expected ${sizeBytes}`);
}
