// Who may import whom. One way only: domain <- ports <- run <- handler. The reasons are in docs/architecture.md.
const only = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });
module.exports = {
  forbidden: [
    only('no-cycles', {}, { circular: true }, 'a cycle has no first file to read'),
    only('domain-is-pure', { path: '^domain/' }, { path: '^(lib|lambda|local|bin|test|bench|agent)/' }, 'domain is shared by cloud, device and desk'),
    only('domain-has-one-library', { path: '^domain/' }, { path: '^node_modules/', pathNot: '^node_modules/(zod|@peculiar/x509|reflect-metadata)/' }, 'domain imports nothing but one wrapped X.509 library and zod'),
    only('ports-see-domain', { path: '^lambda/ports/' }, { path: '^(lib|local|lambda/(?!ports/)|node_modules/)' }, 'ports are small interfaces over domain words'),
    only('decide-is-pure', { path: '^lambda/.+/(decide|event|env)\\.ts$' }, { path: '^(lambda/(aws|runtime|ports)/|lib|local)' }, 'a decision sees facts only'),
    only('run-sees-ports', { path: '^lambda/.+/run\\.ts$' }, { path: '^(lambda/(aws|runtime)/|lib|local|node_modules/)' }, 'run is tested without AWS'),
    only('sdk-in-one-place', { path: '^lambda/(?!aws/)' }, { path: '^node_modules/(@aws-sdk|@smithy)/' }, 'only lambda/aws knows the AWS SDK'),
    only('cdk-in-lib', { path: '^(lambda|domain|local|agent)/' }, { path: '^node_modules/(aws-cdk-lib|constructs|cdk-nag)/' }, 'only lib and bin see the CDK'),
    only('lib-sees-env', { path: '^(lib|bin/app)' }, { path: '^lambda/', pathNot: '^lambda/.+/env\\.ts$' }, 'lib sees the environment schema of a capability and nothing else of it'),
    only('desk-never-imports-lambda', { path: '^local/' }, { path: '^lambda/' }, 'an emulator must not share the code that it judges'),
    only('capabilities-meet-in-domain', { path: '^lambda/(?!ports|aws|runtime)([^/]+)/' }, { path: '^lambda/(?!ports|aws|runtime)', pathNot: '^lambda/$1/' }, 'capabilities meet through events or domain'),
    only('agent-sees-the-protocol', { path: '^agent/' }, { path: '^(lambda|lib|local|bin|domain/(?!protocol/))' }, 'a firmware team copies agent/ and domain/protocol, and needs nothing else'),
    only('fleet-alone-runs-agents', { path: '^(local/(?!fleet/)|lambda/|lib/)' }, { path: '^agent/' }, 'devices are simulated in local/fleet; the cloud, real or embedded, knows a device by the protocol only'),
    only('nobody-imports-tests', { pathNot: '^(test|bench)/' }, { path: '^(test|bench)/' }, 'test code stays in test'),
  ],
  options: { tsConfig: { fileName: 'tsconfig.json' }, tsPreCompilationDeps: true, doNotFollow: { path: 'node_modules' }, exclude: { path: '^(build|cdk\\.out|\\.desk)/' } },
};
