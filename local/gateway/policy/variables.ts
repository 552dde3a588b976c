/**
 * The variables of AWS IoT policies for one connection.
 * https://docs.aws.amazon.com/iot/latest/developerguide/iot-policy-variables.html, thing-policy-variables.html, cert-policy-variables.html
 */
import type { X509Certificate } from 'node:crypto';
import type { IotRegistry } from '../../cloud.js';

/** The values of a variable or condition key, first one first; undefined: it does not resolve, and what uses it does not match. */
export type Variables = (name: string) => readonly string[] | undefined;

/** OpenSSL's short names → the words of AWS IoT. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  CN: 'CommonName',
  C: 'Country',
  O: 'Organization',
  OU: 'OrganizationalUnit',
  ST: 'State',
  dnQualifier: 'DistinguishedNameQualifier',
  serialNumber: 'SerialNumber',
  title: 'Title',
  SN: 'Surname',
  GN: 'GivenName',
  initials: 'Initials',
  pseudonym: 'Pseudonym',
  generationQualifier: 'GenerationQualifier',
};
const ALTERNATIVE_NAMES: Readonly<Record<string, string>> = {
  DNS: 'DNSName',
  URI: 'UniformResourceIdentifier',
  email: 'RFC822Name',
  DirName: 'DirectoryName',
  'IP Address': 'IPAddress',
};
const MAX_VALUES = 5;
const MAX_LENGTH = 1024;

function add(values: Map<string, string[]>, name: string, value: string): void {
  // Wildcards in an attribute, and over-long ones, are not substituted (cert-policy-variables.html, limitations).
  if (value.length > MAX_LENGTH || /[*?]/.test(value)) return;
  const held = values.get(name) ?? [];
  if (held.length < MAX_VALUES) values.set(name, [...held, value]);
}

/** What a certificate says about itself, computed once per connection. */
export function certificateVariables(certificate: X509Certificate, certificateId: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>([
    ['iot:CertificateId', [certificateId]],
    ['iot:Certificate.SerialNumber', [certificate.serialNumber.toLowerCase()]],
  ]);
  for (const [kind, name] of [
    ['Subject', certificate.subject],
    ['Issuer', certificate.issuer],
  ] as const) {
    for (const line of (name ?? '').split('\n')) {
      const [, attribute, value] = /^([^=]+)=(.*)$/s.exec(line) ?? [];
      const word = attribute && ATTRIBUTES[attribute];
      if (word && value !== undefined) add(values, `iot:Certificate.${kind}.${word}`, value);
    }
  }
  for (const entry of (certificate.subjectAltName ?? '').split(', ')) {
    const [, kind, value] = /^([^:]+):(.*)$/s.exec(entry) ?? [];
    const word = kind && ALTERNATIVE_NAMES[kind];
    if (word && value !== undefined) add(values, `iot:Certificate.Subject.AlternativeName.${word}`, value);
  }
  values.set('iot:Certificate.AvailableKeys', [...values.keys()]);
  return values;
}

/**
 * The thing of a connection: the attached one whose name is the clientId, or the one that the certificate belongs to exclusively
 * (exclusive-thing.html). Read anew for each decision, because attachments change under a connection.
 */
export function connectedThing(
  registry: IotRegistry,
  certificateId: string,
  clientId: string,
): ReturnType<IotRegistry['thingsOf']>[number] | undefined {
  const things = registry.thingsOf(certificateId);
  return things.find((thing) => thing.exclusive) ?? things.find((thing) => thing.thingName === clientId);
}

export function connectionVariables(
  registry: IotRegistry,
  certificate: ReadonlyMap<string, readonly string[]>,
  certificateId: string,
  clientId: string,
  sourceIp: string,
): Variables {
  const thing = connectedThing(registry, certificateId, clientId);
  return (name) => {
    const found = certificate.get(name);
    if (found) return found;
    const indexed = /^(iot:Certificate\..+)\.(\d+|List)$/.exec(name);
    if (indexed) {
      const list = certificate.get(indexed[1]!);
      if (!list || indexed[2] === 'List') return list;
      const value = list[Number(indexed[2])];
      return value === undefined ? undefined : [value];
    }
    switch (name) {
      case 'iot:ClientId':
        return [clientId];
      case 'aws:SourceIp':
      case 'iot:SourceIp':
        return [sourceIp];
      case 'iot:Connection.Thing.IsAttached':
        return [String(thing !== undefined)];
      case 'iot:Connection.Thing.ThingName':
        return thing && [thing.thingName];
      case 'iot:Connection.Thing.ThingTypeName':
        return thing?.thingTypeName === undefined ? undefined : [thing.thingTypeName];
      default: {
        const attribute = /^iot:Connection\.Thing\.Attributes\[(.+)\]$/.exec(name)?.[1];
        const value = attribute === undefined ? undefined : thing?.attributes[attribute];
        return value === undefined ? undefined : [value];
      }
    }
  };
}
