import { invalidArgument } from './errors.js';

/** `x-amz-copy-source`: `[/]bucket/key[?versionId=…]`, URL-encoded. */
export function readCopySource(header: string): { readonly bucket: string; readonly key: string; readonly versionId?: string } {
  const [path = '', query = ''] = header.split('?', 2);
  const plain = decode(path).replace(/^\//, '');
  const slash = plain.indexOf('/');
  if (slash <= 0 || slash === plain.length - 1) {
    throw invalidArgument('Copy Source must mention the source bucket and key: sourcebucket/sourcekey', 'x-amz-copy-source', header);
  }
  const versionId = new URLSearchParams(query).get('versionId');
  return { bucket: plain.slice(0, slash), key: plain.slice(slash + 1), ...(versionId === null ? {} : { versionId }) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', '%20'));
  } catch {
    throw invalidArgument('Invalid copy source encoding.', 'x-amz-copy-source', text);
  }
}
