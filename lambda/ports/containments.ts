import type { ThingName } from '../../domain/fleet/thing-name.js';

/** Which things are isolated. Strongly consistent. A record that cannot be read throws: then nothing is granted either. */
export interface Containments {
  isContained(thing: ThingName): Promise<boolean>;
  /** Is the thing contained, and being given a new key before it is released? Then, and only then, a contained thing gets a certificate. */
  mayRekey(thing: ThingName): Promise<boolean>;
}

/** Must this thing get no certificate? The row is read twice: released or re-keyed in between, the device asks again. */
export async function isBarred(containments: Containments, thing: ThingName): Promise<boolean> {
  return (await containments.isContained(thing)) && !(await containments.mayRekey(thing));
}
