/** `docs/configuration.md`, made from the descriptions in the schemas: one truth. A test compares the two. */
import { z } from 'zod';
import { CreatedAnchor, ExternalAnchor, ImportedAnchor } from './anchor-config.js';
import { Configuration } from './configuration.js';

const INTRODUCTION = `# Configuration

One document says everything about an installation. It stands in \`cdk.json\` under \`context.fleetwarden\`, or in the JSON file that the
environment variable \`FLEETWARDEN_CONFIG\` names. It is checked at synthesis: a bad value is refused with its path, what it got and what was expected.

\`\`\`json
{
  "trustAnchors": [
    { "id": "fleet", "type": "acm-pca", "create": { "commonName": "Fleet Root CA" } },
    { "id": "plant", "type": "acm-pca", "arn": "arn:aws:acm-pca:…", "certificatePem": "-----BEGIN CERTIFICATE-----\\n…", "crl": { "type": "COMPLETE" } },
    { "id": "factory", "type": "external", "certificatePem": "-----BEGIN CERTIFICATE-----\\n…", "crl": { "distributionPoints": [] } }
  ],
  "revocation": { "mode": "observe" }
}
\`\`\`

Things that the document cannot do for you:

- Whoever revokes at AWS Private CA (\`acm-pca:RevokeCertificate\`) needs \`s3:PutObject\` on the CRL bucket: AWS checks that the caller can write there.
- The CRL configuration of an imported CA, and AWS IoT's event configuration for just-in-time registration, are printed as a command in the stacks'
  outputs, to be run once. The command replaces the whole revocation configuration of that CA: if it has OCSP, add that to it.
- An anchor that was created by this application leaves in two steps, because CloudFormation keeps an exported ARN while the other stack uses it. Take it out
  of the document, then \`npx cdk deploy <prefix>-app --exclusively\`, then \`npx cdk deploy --all\`. Its CA is retained, and goes on costing, until you disable and
  delete it. A different key or signing algorithm is a different CA: add it as a new anchor with a new \`id\` beside the old one.

This page is made from the schemas in \`lib/config\` (\`lib/config/reference.ts\`).
`;

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: JsonSchema;
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

export function configurationReference(): string {
  const general = section('The document', Configuration, ['trustAnchors']);
  const anchors = [
    section('A trust anchor that is created', CreatedAnchor),
    section('A trust anchor that is imported', ImportedAnchor),
    section('An external trust anchor', ExternalAnchor),
  ];
  return [INTRODUCTION, general, ...anchors].join('\n');
}

function section(title: string, schema: z.ZodType, listedElsewhere: readonly string[] = []): string {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const rows = rowsOf(json, '', listedElsewhere).map(
    ({ path, kind, initial, description }) => `| \`${path}\` | ${kind} | ${initial} | ${description} |`,
  );
  const lead = json.description === undefined ? [] : [json.description, ''];
  return [`## ${title}`, '', ...lead, '| field | value | default | what it does |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function rowsOf(
  { properties = {}, required = [] }: JsonSchema,
  parent: string,
  listedElsewhere: readonly string[],
): { path: string; kind: string; initial: string; description: string }[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = `${parent}${name}`;
    if (field.properties && !listedElsewhere.includes(name)) return rowsOf(field, `${path}.`, []);
    const initial = field.default === undefined ? (required.includes(name) ? '(needed)' : '') : `\`${JSON.stringify(field.default)}\``;
    return [{ path, kind: kindOf(field), initial, description: field.description ?? '' }];
  });
}

function kindOf({ enum: choices, const: only, type, items, minimum, maximum }: JsonSchema): string {
  if (only !== undefined) return `\`${JSON.stringify(only)}\``;
  if (choices) return choices.map((choice) => `\`${String(choice)}\``).join(', ');
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (type === 'array') return `list${items?.type === undefined ? '' : ` of ${items.type}`}`;
  return type ?? '';
}
