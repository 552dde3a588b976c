import { AwsError } from '../../models/service.js';
import { context, contextPrimitive, elements, ia5String, oid, printableString, sequence, setOf, tlv, utf8String, type Der } from './der.js';

/** A distinguished name as the API gives it. */
export interface Asn1Subject {
  readonly [attribute: string]: string | readonly { readonly ObjectIdentifier: string; readonly Value: string }[] | undefined;
  readonly CustomAttributes?: readonly { readonly ObjectIdentifier: string; readonly Value: string }[];
}

/** RFC 5280 appendix A.1, in the order in which the attributes are written: from the country down. */
const ATTRIBUTES: readonly (readonly [name: string, oid: string, write: (text: string) => Der])[] = [
  ['Country', '2.5.4.6', printableString],
  ['Organization', '2.5.4.10', utf8String],
  ['OrganizationalUnit', '2.5.4.11', utf8String],
  ['DistinguishedNameQualifier', '2.5.4.46', printableString],
  ['State', '2.5.4.8', utf8String],
  ['Locality', '2.5.4.7', utf8String],
  ['CommonName', '2.5.4.3', utf8String],
  ['SerialNumber', '2.5.4.5', printableString],
  ['Title', '2.5.4.12', utf8String],
  ['Surname', '2.5.4.4', utf8String],
  ['GivenName', '2.5.4.42', utf8String],
  ['Initials', '2.5.4.43', utf8String],
  ['Pseudonym', '2.5.4.65', utf8String],
  ['GenerationQualifier', '2.5.4.44', utf8String],
];
const LONGEST: Readonly<Record<string, number>> = {
  Country: 2,
  CommonName: 64,
  Organization: 64,
  OrganizationalUnit: 64,
  SerialNumber: 64,
  State: 128,
  Locality: 128,
};

/** DER of a Name. Throws InvalidArgsException as AWS does for lengths beyond X.520, and for standard attributes beside custom ones. */
export function nameOf(subject: Asn1Subject): Der {
  const custom = subject.CustomAttributes ?? [];
  const standard = ATTRIBUTES.filter(([name]) => subject[name] !== undefined);
  if (custom.length > 0 && standard.length > 0)
    throw new AwsError('InvalidArgsException', 'Subject: CustomAttributes cannot be combined with standard attributes.');
  for (const [name] of standard) {
    const text = textOf(subject, name);
    const longest = LONGEST[name] ?? 128;
    if (text.length === 0 || text.length > longest)
      throw new AwsError('InvalidArgsException', `Subject.${name}: got ${text.length} characters, expected 1 to ${longest}.`);
  }
  const pairs = [
    ...standard.map(([name, identifier, write]) => sequence(oid(identifier), write(textOf(subject, name)))),
    ...custom.map(({ ObjectIdentifier, Value }) => sequence(oid(ObjectIdentifier), utf8String(Value))),
  ];
  return sequence(...pairs.map((pair) => setOf(pair)));
}

function textOf(subject: Asn1Subject, attribute: string): string {
  const text = subject[attribute];
  return typeof text === 'string' ? text : '';
}

const SHORT: Readonly<Record<string, string>> = {
  '2.5.4.6': 'C',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.3': 'CN',
  '2.5.4.8': 'ST',
  '2.5.4.7': 'L',
  '2.5.4.5': 'SERIALNUMBER',
};

/** `CN=pump-0042,O=ExampleFleet`: most specific first, for audit reports. */
export function readableName(der: Uint8Array): string {
  const [outer] = elements(der);
  const pairs = elements(outer?.content ?? Buffer.alloc(0)).flatMap((set) =>
    elements(set.content).map((pair) => {
      const [type, value] = elements(pair.content);
      const short = Object.entries(SHORT).find(([identifier]) => type && oid(identifier).equals(type.whole))?.[1] ?? 'OID';
      return `${short}=${value?.content.toString('utf8') ?? ''}`;
    }),
  );
  return pairs.reverse().join(',');
}

export interface GeneralName {
  readonly Rfc822Name?: string;
  readonly DnsName?: string;
  readonly DirectoryName?: Asn1Subject;
  readonly UniformResourceIdentifier?: string;
  readonly IpAddress?: string;
  readonly RegisteredId?: string;
  readonly OtherName?: { readonly TypeId: string; readonly Value: string };
  readonly EdiPartyName?: unknown;
}

/** RFC 5280 §4.2.1.6. */
export function generalName(name: GeneralName): Der {
  if (name.Rfc822Name !== undefined) return contextPrimitive(1, Buffer.from(name.Rfc822Name, 'latin1'));
  if (name.DnsName !== undefined) return contextPrimitive(2, Buffer.from(name.DnsName, 'latin1'));
  if (name.DirectoryName !== undefined) return context(4, nameOf(name.DirectoryName));
  if (name.UniformResourceIdentifier !== undefined) return uri(name.UniformResourceIdentifier);
  if (name.IpAddress !== undefined) return contextPrimitive(7, Buffer.from(name.IpAddress.split('.').map(Number)));
  if (name.RegisteredId !== undefined) return tlv(0x88, oid(name.RegisteredId).subarray(2));
  if (name.OtherName !== undefined) return context(0, oid(name.OtherName.TypeId), context(0, ia5String(name.OtherName.Value)));
  throw new AwsError('InvalidArgsException', 'SubjectAlternativeNames: expected a name other than EdiPartyName.');
}

export const uri = (text: string): Der => contextPrimitive(6, Buffer.from(text, 'latin1'));
