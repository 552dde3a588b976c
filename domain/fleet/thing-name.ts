/** The name of a thing in the AWS IoT registry. Identity is equality, never a prefix: `dev-1` is not `dev-10`. */
export type ThingName = string & { readonly __brand: 'ThingName' };

const PATTERN = /^[a-zA-Z0-9:_-]{1,128}$/;

/** May a thing have this name? A client id may be almost anything. */
export const isThingName = (text: string): boolean => PATTERN.test(text);

/** Throws RangeError unless `text` matches the AWS IoT pattern `[a-zA-Z0-9:_-]{1,128}`. */
export function thingName(text: string): ThingName {
  if (!isThingName(text)) throw new RangeError(`thingName: got "${text.slice(0, 140)}", expected 1 to 128 of a-z A-Z 0-9 : _ -`);
  return text as ThingName;
}
