import { ownName, project, rootDir } from './jest.project.js';

// One suite: the same tests on the Nest that is installed at the top (12) and on Nest 11, and those of the uploads on Fastify too.
const testMatch = ['<rootDir>/test/**/*.spec.ts'];

// They look at the text of the project, in which no version of Nest has a part: once is enough.
const aboutTheText = ['<rootDir>/test/architecture/', '<rootDir>/test/package/', '<rootDir>/test/readme/snippets.spec'];

// They prove storages by the whole suite, on the disk, for minutes. No version of Nest has a part in that either; what has one (the
// module, the upload, the views, the memory storage's suite) runs on both.
const aboutStorages = [
  '<rootDir>/test/conformance/broken-storages.spec',
  '<rootDir>/test/conformance/filesystem.spec',
  '<rootDir>/test/conformance/sqlite.spec',
  '<rootDir>/test/readme/custom-backend.spec',
  '<rootDir>/test/sqlite/',
  '<rootDir>/test/hostile/sqlite.spec',
];

// No Nest in it either.
const aboutTheParser = ['<rootDir>/test/upload/multipart/'];

// Their applications ask the global `platform` what to stand on.
const ofUploads = ['<rootDir>/test/upload/**/*.spec.ts'];
const onFastify = { platform: 'fastify' };
// they have no application, or ask for both platforms by themselves
const withoutPlatform = [...aboutTheParser, '<rootDir>/test/upload/upload-unit.spec'];

const nest11 = '<rootDir>/test/nest-11/node_modules/';

const nest11Mapper = {
  '^(@nestjs/(?:common|config|core|platform-express|platform-fastify|testing)(?:/.*)?)$': `${nest11}$1`,
  ...ownName,
};

export default {
  rootDir,
  testTimeout: 30_000,
  // every core: Jest would leave one idle, which is half of a small machine
  maxWorkers: '100%',
  // Every file of an ESM run leaves its modules in the worker, and suites that measure memory collect its whole heap again and again.
  workerIdleMemoryLimit: '700MB',
  projects: [
    { ...project, testMatch, displayName: 'nest-12', globals: { nestMajor: 12 }, moduleNameMapper: ownName },
    {
      ...project,
      testMatch,
      testPathIgnorePatterns: ['/node_modules/', ...aboutTheText, ...aboutStorages, ...aboutTheParser],
      displayName: 'nest-11',
      globals: { nestMajor: 11 },
      moduleNameMapper: nest11Mapper,
    },
    {
      ...project,
      testMatch: ofUploads,
      testPathIgnorePatterns: ['/node_modules/', ...withoutPlatform],
      displayName: 'fastify-12',
      globals: { nestMajor: 12, ...onFastify },
      moduleNameMapper: ownName,
    },
    {
      ...project,
      testMatch: ofUploads,
      testPathIgnorePatterns: ['/node_modules/', ...withoutPlatform],
      displayName: 'fastify-11',
      globals: { nestMajor: 11, ...onFastify },
      moduleNameMapper: nest11Mapper,
    },
  ],
};
