/**
 * Policies for devices: too broad, or with denials that deny less than they seem to. The version in force is looked at.
 * https://docs.aws.amazon.com/iot-device-defender/latest/devguide/audit-chk-iot-policy-permissive.html, …/audit-chk-iot-misconfigured-policies.html
 */
import type { PolicyStatement } from '../../../iam/principal.js';
import type { IotPolicy, IotState } from '../state.js';
import type { Evaluation, NonCompliance, Resource } from './non-compliance.js';

const list = (value: string | readonly string[] | undefined): readonly string[] => (typeof value === 'string' ? [value] : (value ?? []));
const names = (statement: PolicyStatement, action: string): boolean =>
  list(statement.Action).some((pattern) => pattern === '*' || pattern === 'iot:*' || pattern === action);
const statementsOf = (policy: IotPolicy): readonly PolicyStatement[] =>
  [policy.versions.get(policy.defaultVersionId)?.document.Statement ?? []].flat();
/** `arn:aws:iot:…:topic/a/b` → `topic/a/b`. */
const relative = (resource: string): string => (resource === '*' ? '*' : resource.split(':').slice(5).join(':'));

const policyVersion = ({ policyName, defaultVersionId }: IotPolicy): Resource => ({
  resourceType: 'IOT_POLICY',
  resourceIdentifier: { policyVersionIdentifier: { policyName, policyVersionId: defaultVersionId } },
});

function evaluate(
  state: IotState,
  reasonFor: (statements: readonly PolicyStatement[]) => Omit<NonCompliance, 'resource'> | undefined,
): Evaluation {
  const policies = [...state.policies.values()];
  const nonCompliant = policies.flatMap((policy): NonCompliance[] => {
    const found = reasonFor(statementsOf(policy));
    return found ? [{ resource: policyVersion(policy), ...found }] : [];
  });
  return { total: policies.length, nonCompliant };
}

/** Resources that reach many devices, by action; with MQTT's wildcards where the resource is a topic filter. */
const BROAD: Readonly<Record<string, RegExp>> = {
  'iot:Connect': /^(\*|client\/\*)$/,
  'iot:Publish': /^(\*|topic\/\*|topic\/\$aws\/(things\/)?[^/$]*\*.*)$/,
  'iot:Receive': /^(\*|topic\/\*|topic\/\$aws\/(things\/)?[^/$]*\*.*)$/,
  'iot:Subscribe': /^(\*|topicfilter\/[*#]|topicfilter\/\$aws\/(things\/)?[^/$]*[*#+].*)$/,
  'iot:GetThingShadow': /^(\*|thing\/\*)$/,
  'iot:UpdateThingShadow': /^(\*|thing\/\*)$/,
  'iot:DeleteThingShadow': /^(\*|thing\/\*)$/,
};

/** Any client id is as broad as `*`, unless the thing of that name has to be attached. */
function anyClient(statement: PolicyStatement, resource: string): boolean {
  const attached = list(
    (statement.Condition?.['Bool'] as Record<string, string | string[]> | undefined)?.['iot:Connection.Thing.IsAttached'],
  );
  return resource === 'client/${iot:ClientId}' && !attached.includes('true');
}

export function overlyPermissivePolicies(state: IotState): Evaluation {
  const isBroad = (statement: PolicyStatement): boolean =>
    list(statement.Resource).some((arn) => {
      const resource = relative(arn);
      return (
        Object.entries(BROAD).some(([action, pattern]) => names(statement, action) && pattern.test(resource)) ||
        (names(statement, 'iot:Connect') && anyClient(statement, resource))
      );
    });
  return evaluate(state, (statements) =>
    statements.some((statement) => statement.Effect === 'Allow' && isBroad(statement))
      ? {
          reason: 'Policy allows broad access to IoT data plane actions.',
          reasonCode: 'ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS',
        }
      : undefined,
  );
}

export function misconfiguredPolicies(state: IotState): Evaluation {
  return evaluate(state, (statements) => {
    const resources = (effect: string, action: string): string[] =>
      statements
        .filter((statement) => statement.Effect === effect && names(statement, action))
        .flatMap(({ Resource }) => list(Resource).map(relative));
    const denied = resources('Deny', 'iot:Subscribe');
    // Wildcards of MQTT are letters in policies: such a denial denies next to nothing.
    if ([...denied, ...resources('Deny', 'iot:Publish'), ...resources('Deny', 'iot:Receive')].some((resource) => /[+#]/.test(resource)))
      return {
        reason: 'Policy contains MQTT wildcards in a deny statement.',
        reasonCode: 'POLICY_CONTAINS_MQTT_WILDCARDS_IN_DENY_STATEMENT',
      };
    // A broader filter that is allowed takes in what is denied, unless receiving is denied as well.
    const received = resources('Deny', 'iot:Receive');
    const allowed = resources('Allow', 'iot:Subscribe').filter((resource) => resource.endsWith('*'));
    const bypassed = denied.some(
      (resource) =>
        allowed.some((broader) => broader !== resource && resource.startsWith(broader.slice(0, -1))) &&
        !received.includes(resource.replace(/^topicfilter\//, 'topic/')),
    );
    return bypassed
      ? {
          reason: 'Topic filters intended to be denied are allowed through wildcards.',
          reasonCode: 'TOPIC_FILTERS_INTENDED_TO_DENY_ALLOWED_USING_WILDCARDS',
        }
      : undefined;
  });
}
