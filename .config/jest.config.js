// One suite, two projects: the same tests on the Nest that is installed at the top (12) and on Nest 11.
const root = new URL('..', import.meta.url).pathname;

const project = {
  rootDir: root,
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.spec.ts'],
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
const ownName = {
  '^nestjs-storages$': '<rootDir>/lib/index.ts',
  '^nestjs-storages/testing$': '<rootDir>/lib/testing/index.ts',
  '^(\\.{1,2}/.*)\\.js$': '$1',
};

const nest11 = '<rootDir>/test/nest-11/node_modules/';

export default {
  rootDir: root,
  testTimeout: 30_000,
  projects: [
    { ...project, displayName: 'nest-12', moduleNameMapper: ownName },
    {
      ...project,
      displayName: 'nest-11',
      moduleNameMapper: {
        '^(@nestjs/(?:common|config|core|platform-express|testing)(?:/.*)?)$': `${nest11}$1`,
        ...ownName,
      },
    },
  ],
};
