// What every Jest project of this repository has in common: ESM, TypeScript by swc, the library under its own name.
export const rootDir = new URL('..', import.meta.url).pathname;

export const project = {
  rootDir,
  testEnvironment: 'node',
  setupFilesAfterEnv: ['<rootDir>/.config/jest.no-listener-left.js'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/sample/.*/dist/'],
  // js first: node_modules hold .js files beside .ts sources
  moduleFileExtensions: ['js', 'ts', 'json', 'node'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};

// The package's own name leads to lib, else there are two copies of every class.
export const ownName = {
  '^nestjs-storages$': '<rootDir>/lib/index.ts',
  '^nestjs-storages/opentelemetry$': '<rootDir>/lib/opentelemetry/index.ts',
  '^nestjs-storages/s3$': '<rootDir>/lib/backends/s3/index.ts',
  '^nestjs-storages/sqlite$': '<rootDir>/lib/backends/sqlite/index.ts',
  '^nestjs-storages/swagger$': '<rootDir>/lib/swagger/index.ts',
  '^nestjs-storages/terminus$': '<rootDir>/lib/terminus/index.ts',
  '^nestjs-storages/testing$': '<rootDir>/lib/testing/index.ts',
  // threads are no modules of Jest: Node itself loads their program, and has to be told about TypeScript
  '^\\./worker-program\\.js$': '<rootDir>/test/sqlite/process/worker-program.ts',
  '^(\\.{1,2}/.*)\\.js$': '$1',
};
