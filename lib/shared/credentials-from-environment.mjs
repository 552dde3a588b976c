// Takes the place of @aws-sdk/credential-provider-node in the bundles: see handler-code.ts.
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
