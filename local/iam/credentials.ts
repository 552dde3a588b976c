import { randomBytes, randomInt } from 'node:crypto';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}
export interface SessionCredentials extends Credentials {
  readonly sessionToken: string;
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const unique = (length: number): string => Array.from({ length }, () => BASE32[randomInt(BASE32.length)]).join('');

/** Ids with AWS's prefixes (IAM user guide, "Unique identifiers"): AKIA a long-term key, ASIA a session's, AROA a role, AIDA a user. */
export const uniqueId = (prefix: 'AROA' | 'AIDA' | 'ANPA'): string => prefix + unique(17);

export const longTermCredentials = (): Credentials => ({
  accessKeyId: `AKIA${unique(16)}`,
  secretAccessKey: randomBytes(30).toString('base64'),
});

export const sessionCredentials = (): SessionCredentials => ({
  accessKeyId: `ASIA${unique(16)}`,
  secretAccessKey: randomBytes(30).toString('base64'),
  sessionToken: randomBytes(96).toString('base64'),
});
