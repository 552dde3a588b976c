/**
 * Permissions that more than one function has, each with its reason. A function gets what its adapters call and nothing else; the test of
 * the desk takes single grants away and expects AccessDenied.
 */
import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import type { Permission } from './guarded-function.js';

type ItemAction = 'GetItem' | 'BatchGetItem' | 'Query' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'BatchWriteItem';

/** On the table itself, without its indexes. DynamoDB has no permission for a transaction: it asks for those of its parts. */
export function onTable(table: ITable, ...actions: readonly ItemAction[]): Permission {
  return { actions: actions.map((action) => `dynamodb:${action}`), resources: [table.tableArn] };
}

export function onIndex(table: ITable, indexName: string, action: 'dynamodb:Query' | 'dynamodb:Scan' = 'dynamodb:Query'): Permission {
  return { actions: [action], resources: [`${table.tableArn}/index/${indexName}`] };
}

/** Reads the pinned anchors: GetParametersByPath is asked for the path itself. */
export function readTrustAnchors(scope: Construct, parameterPath: string): Permission {
  const path = Stack.of(scope).formatArn({ service: 'ssm', resource: `parameter${parameterPath}`, arnFormat: ArnFormat.NO_RESOURCE_NAME });
  return { actions: ['ssm:GetParametersByPath'], resources: [path] };
}

export function getIssuedCertificates(privateCaArns: readonly string[]): Permission {
  return { actions: ['acm-pca:GetCertificate'], resources: privateCaArns };
}

export const iotArn = (scope: Construct, resource: string, resourceName: string): string =>
  Stack.of(scope).formatArn({ service: 'iot', resource, resourceName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });

/** What these begin with, up to the resource. */
export const iotArns = (scope: Construct): string => {
  const { partition, region, account } = Stack.of(scope);
  return `arn:${partition}:iot:${region}:${account}`;
};

/** ListPrincipalThingsV2 is authorised by iot:ListPrincipalThings (IAPI); the service list of IAM has learned a name of its own for it since. */
export function readRegistry(scope: Construct): Permission {
  return {
    actions: ['iot:DescribeCertificate', 'iot:ListPrincipalThings', 'iot:ListPrincipalThingsV2'],
    resources: [iotArn(scope, 'cert', '*')],
    wildcard:
      'Any certificate of the registry may be the one that a CRL names; their ids are hashes that nobody knows at deployment. Read only.',
  };
}

/** The destructive permission of the application: `revoke` has it, and the rotation where it is on; only where the mode is `enforce`. */
export function changeCertificateStatus(
  scope: Construct,
  wildcard = 'Any certificate of the registry may be the one that a CRL names; their ids are hashes that nobody knows at deployment. Bounded by the brake, the pace, the emergency stop and a comparison with the pinned issuer.',
): Permission {
  return { actions: ['iot:UpdateCertificate'], resources: [iotArn(scope, 'cert', '*')], wildcard };
}

export function dropConnections(scope: Construct): Permission {
  return {
    actions: ['iot:DeleteConnection'],
    resources: [iotArn(scope, 'client', '*')],
    wildcard:
      'The client id of a revoked device is known when it is revoked, not at deployment. Reversible: a device that may connect comes back.',
  };
}

export function listRegistry(): Permission {
  return {
    actions: ['iot:ListCertificates'],
    resources: ['*'],
    wildcard:
      'iot:ListCertificates has no resource type: AWS accepts nothing but * for it (service authorization reference of AWS IoT). Read only.',
  };
}
