import { ownName, project, rootDir } from './jest.project.js';

// The samples, each as its reader meets it: started, and used by a real browser; and Swagger UI and the page of the documents, which need one too. One after the other, so that none waits for a busy machine.
export default {
  ...project,
  rootDir,
  // one of them stands on a Ceph, which its test starts
  globalSetup: '<rootDir>/.config/jest.before.js',
  globalTeardown: '<rootDir>/.config/jest.after.js',
  displayName: 'samples',
  testMatch: ['<rootDir>/sample/**/test/*.e2e-spec.ts', '<rootDir>/test/{swagger,readme}/*.e2e-spec.ts'],
  moduleNameMapper: ownName,
  testTimeout: 120_000,
  maxWorkers: 1,
};
