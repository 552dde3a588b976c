import { DerCursor, DerError, TAG, contextTag } from './der.js';
import { checkName } from './name.js';

/** Which of GeneralName's choices [0]–[8] (RFC 5280 §4.2.1.6) are constructed. */
const CONSTRUCTED = [true, false, false, true, true, true, false, false, false] as const;
const DIRECTORY_NAME = 4;
const URI = 6;

/** Reads GeneralNames (one at least): the URIs in it. Throws DerError on anything that is no GeneralName. */
export function readGeneralNames(names: DerCursor): readonly string[] {
  const uris: string[] = [];
  do {
    const uri = readGeneralName(names);
    if (uri !== undefined) uris.push(uri);
  } while (!names.isAtEnd);
  return uris;
}

/** Reads one GeneralName: its URI, or `undefined` for another kind. */
export function readGeneralName(names: DerCursor): string | undefined {
  const tag = names.peekTag();
  const choice = CONSTRUCTED.findIndex((constructed, n) => tag === contextTag(n, constructed));
  if (choice < 0) throw new DerError('a GeneralName of no known kind');
  if (choice === URI) return ia5(names.content(contextTag(URI, false)));
  if (choice === DIRECTORY_NAME) {
    const holder = names.enter(contextTag(DIRECTORY_NAME, true));
    checkName(holder.enter(TAG.sequence));
    holder.finish();
    return undefined;
  }
  names.any();
  return undefined;
}

/** IA5String without control characters: a URI that ends up in log lines and keys. */
function ia5(content: Uint8Array): string {
  if (content.some((octet) => octet < 0x20 || octet > 0x7e)) throw new DerError('a URI with something other than printable ASCII');
  return Buffer.from(content).toString('latin1');
}
