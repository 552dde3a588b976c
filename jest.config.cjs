/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  setupFiles: ['<rootDir>/test/env.cjs'],
  testTimeout: 60_000,
  reporters: ['default', '<rootDir>/test/tally-reporter.cjs'],
  transform: {
    '^.+\\.ts$': [
      'ts-jest',
      {
        diagnostics: false,
        tsconfig: {
          module: 'CommonJS',
          moduleResolution: 'Bundler',
          target: 'ES2023',
          isolatedModules: true,
          esModuleInterop: true,
          resolveJsonModule: true,
          types: ['node', 'jest'],
        },
      },
    ],
  },
};
