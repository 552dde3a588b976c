/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  setupFiles: ['<rootDir>/test/env.cjs'],
  testTimeout: 60_000,
  // Jest leaves one core free, which on two cores means one suite after the other; most suites here wait for a desk.
  maxWorkers: '100%',
  // Sources import each other with the suffix that Node wants of ES modules; packages keep their own .js files.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'] },
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
