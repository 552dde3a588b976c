/** What a check found, in the members of the API. */
export interface NonCompliance {
  readonly resource: Resource;
  readonly related?: readonly Resource[];
  readonly reason: string;
  readonly reasonCode: string;
}

/** In the members of the API (AuditFinding.nonCompliantResource). */
export interface Resource {
  readonly resourceType: 'DEVICE_CERTIFICATE' | 'CA_CERTIFICATE' | 'CLIENT_ID' | 'IOT_POLICY' | 'ACCOUNT_SETTINGS';
  readonly resourceIdentifier: Readonly<Record<string, unknown>>;
  readonly additionalInfo?: Readonly<Record<string, string>>;
}

export interface Evaluation {
  readonly total: number;
  readonly nonCompliant: readonly NonCompliance[];
}
