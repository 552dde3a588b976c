/**
 * All that a contained device may do, as AWS IoT policies say it (FACTS B7): an allow-list, because these policies cannot say "deny all but". One builder, two policies:
 *
 *     <prefix>-repair                   one for the whole fleet, by policy variables: who connects under the name of his thing
 *     <prefix>-repair-<containmentId>   of one containment, by names: a device that connects under another client id, for which thing variables resolve to
 *                                       nothing (IG thing-policy-variables.html). Beside the other one, never in its place
 *
 * Jobs (shut-off and resume among them), shut-off by command, and a new key. No telemetry, no commands of the fleet, no shadow.
 */
import { TRIGGER_KINDS } from './containment-workflow.js';
import { commandTopic } from './command.js';
import { ROTATION_TOPICS, type DeviceTopic, deviceTopic, jobsTopic } from './topics.js';

export interface RepairRights {
  readonly topicPrefix: string;
  /** Shut-off also comes by AWS IoT commands. */
  readonly commands: boolean;
  /** ARN of a resource of AWS IoT: `client`, `topic`, `topicfilter`. */
  readonly arn: (resource: string, name: string) => string;
}

export interface Statement {
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** `thing`: a name, or the variable that stands for it. */
export function repairStatements(
  { topicPrefix, commands, arn }: RepairRights,
  thing: string,
  clientIds: readonly string[],
  condition: Pick<Statement, 'Condition'> = {},
): Statement[] {
  const own = (resource: string, topics: readonly DeviceTopic[]): string[] => [
    ...topics.map((topic) => arn(resource, deviceTopic(topicPrefix, thing, topic))),
    arn(resource, jobsTopic(thing, '*')),
    ...(commands ? [arn(resource, commandTopic(thing, '*'))] : []),
  ];
  return [
    { Effect: 'Allow', Action: ['iot:Connect'], Resource: clientIds.map((clientId) => arn('client', clientId)), ...condition },
    { Effect: 'Allow', Action: ['iot:Publish'], Resource: own('topic', ROTATION_TOPICS.publish) },
    { Effect: 'Allow', Action: ['iot:Subscribe'], Resource: own('topicfilter', ROTATION_TOPICS.receive) },
    { Effect: 'Allow', Action: ['iot:Receive'], Resource: own('topic', ROTATION_TOPICS.receive) },
  ];
}

export const policyDocument = <S>(statements: S) => ({ Version: '2012-10-17', Statement: statements }) as const;

/** Characters of a policy document at AWS IoT (GR iot-core.html). */
export const LONGEST_POLICY = 2048;

/** Letters, digits and marks that mean nothing in a policy: `*` and `?` would be wildcards there, `${` a variable. */
const PLAIN = /^[a-zA-Z0-9:_.@=-]{1,128}$/;
export const isPlainClientId = (clientId: string): boolean => PLAIN.test(clientId);

/**
 * By names. Without IsAttached: AWS takes the client id for the name of the thing there, so it is false for such a device; the policy hangs on certificates of the thing
 * alone. As many client ids as go in, in their order; where not one does, shut-off comes by the job alone. `undefined`: not one even so.
 */
export function namedRepair(
  rights: RepairRights,
  thing: string,
  clientIds: readonly string[],
): { readonly clientIds: readonly string[]; readonly document: string } | undefined {
  if (clientIds.some((clientId) => !isPlainClientId(clientId))) throw new Error('a client id that is not plain has no place in a policy');
  for (const commands of new Set([rights.commands, false])) {
    const write = (named: readonly string[]): string =>
      JSON.stringify(policyDocument(repairStatements({ ...rights, commands }, thing, named)));
    const fitting: string[] = [];
    for (const clientId of clientIds) if (write([...fitting, clientId]).length <= LONGEST_POLICY) fitting.push(clientId);
    if (fitting.length > 0) return { clientIds: fitting, document: write(fitting) };
  }
  return undefined;
}

const begins = (prefix: string): string => `${prefix}-repair-`;

export const namedRepairPolicy = (prefix: string, containmentId: string): string => `${begins(prefix)}${containmentId}`;

/** Of this installation, and no other: what is behind the prefix is the id of a containment in full (containmentIdOf), so no name is of two installations. */
const CONTAINMENT = new RegExp(`^(${TRIGGER_KINDS.join('|')})-[0-9a-f]{24}$`);
export const isNamedRepairPolicy = (prefix: string, policyName: string): boolean =>
  policyName.startsWith(begins(prefix)) && CONTAINMENT.test(policyName.slice(begins(prefix).length));

/** For permissions: names of all that an installation makes. */
export const namedRepairPatterns = (prefix: string): readonly string[] => TRIGGER_KINDS.map((kind) => `${begins(prefix)}${kind}-*`);
