import { ownName, project, rootDir } from './jest.project.js';

// One suite: the same tests on the Nest that is installed at the top (12) and on Nest 11, and those of the uploads on Fastify too.
const testMatch = ['<rootDir>/test/**/*.spec.ts'];

// They look at the text of the project, in which no version of Nest has a part: once is enough.
const aboutTheText = ['<rootDir>/test/architecture/', '<rootDir>/test/package/', '<rootDir>/test/readme/snippets.spec'];

// They prove storages by the whole suite, on the disk, for minutes. No version of Nest has a part in that either; what has one (the
// module, the upload, the views, the memory storage's suite) runs on both.
const aboutStorages = [
  '<rootDir>/test/crash/',
  '<rootDir>/test/filesystem/',
  '<rootDir>/test/conformance/broken-storages.spec',
  '<rootDir>/test/conformance/filesystem.spec',
  '<rootDir>/test/conformance/s3',
  '<rootDir>/test/conformance/sqlite.spec',
  '<rootDir>/test/conformance/wrappers-filesystem.spec',
  '<rootDir>/test/opentelemetry/metrics.spec',
  '<rootDir>/test/opentelemetry/spans.spec',
  '<rootDir>/test/readme/custom-backend.spec',
  '<rootDir>/test/readme/s3.spec',
  '<rootDir>/test/readme/pages.spec',
  '<rootDir>/test/readme/staged-backend.spec',
  '<rootDir>/test/readme/testing.spec',
  '<rootDir>/test/s3/',
  '<rootDir>/test/sqlite/',
  '<rootDir>/test/terminus/s3',
  '<rootDir>/test/hostile/s3.spec',
  '<rootDir>/test/hostile/sqlite.spec',
];

// It starts servers of its own, which always stand on one Nest and one platform.
const aboutAProcess = ['<rootDir>/test/upload/killed-server.spec', '<rootDir>/test/upload/sigterm.spec'];

// No Nest in it either.
const withoutNest = ['platform', 'upload/multipart', 'download/units', 'signing/units'].map(
  (folder) => `<rootDir>/test/${folder}/`,
);

// Their applications, and those of downloads and signed URLs, ask the global `platform` what to stand on.
const ofUploads = ['upload', 'download', 'signing'].map((folder) => `<rootDir>/test/${folder}/**/*.spec.ts`);
const onFastify = { platform: 'fastify' };
// they have no application, or ask for both platforms by themselves
const withoutPlatform = [
  ...withoutNest,
  ...aboutAProcess,
  '<rootDir>/test/upload/upload-unit.spec',
  '<rootDir>/test/upload/callback.spec',
  '<rootDir>/test/upload/injected-requests.spec',
];

// by real megabytes into a real server: once on each platform
const onNest12Only = ['<rootDir>/test/upload/s3-upload.spec'];

const nest11 = '<rootDir>/test/nest-11/node_modules/';

const nest11Mapper = {
  '^(@nestjs/(?:common|config|core|platform-express|platform-fastify|swagger|terminus|testing)(?:/.*)?)$': `${nest11}$1`,
  ...ownName,
};

// The one that light-my-request brings is an ES module by now, which Jest cannot load by require() before Node 24.
const nest12Mapper = { ...ownName, '^cookie$': '<rootDir>/node_modules/cookie' };

export default {
  rootDir,
  globalSetup: '<rootDir>/.config/jest.before.js',
  globalTeardown: '<rootDir>/.config/jest.after.js',
  // when a test hangs; no promise: the suite starts servers and kills processes beside it, on two cores
  testTimeout: 60_000,
  testSequencer: '<rootDir>/.config/jest.sequencer.js',
  // every core: Jest would leave one idle, which is half of a small machine
  maxWorkers: '100%',
  // Every file of an ESM run leaves its modules in the worker, and suites that measure memory collect its whole heap again and again.
  workerIdleMemoryLimit: '700MB',
  // Milliseconds. To give back such a heap takes a busy machine more than the half second after which Jest says that something was leaked.
  workerGracefulExitTimeout: 10_000,
  projects: [
    { ...project, testMatch, displayName: 'nest-12', globals: { nestMajor: 12 }, moduleNameMapper: nest12Mapper },
    {
      ...project,
      testMatch,
      testPathIgnorePatterns: [
        '/node_modules/',
        ...aboutTheText,
        ...aboutStorages,
        ...withoutNest,
        ...aboutAProcess,
        ...onNest12Only,
      ],
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
      testPathIgnorePatterns: ['/node_modules/', ...withoutPlatform, ...onNest12Only],
      displayName: 'fastify-11',
      globals: { nestMajor: 11, ...onFastify },
      moduleNameMapper: nest11Mapper,
    },
  ],
};
