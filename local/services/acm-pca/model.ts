export const ACM_PCA_SCHEMAS: Readonly<Record<string, unknown>> = {};
