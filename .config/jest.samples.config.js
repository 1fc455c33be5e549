import { ownName, project, rootDir } from './jest.project.js';

// The samples, each as its reader meets it: started, and used by a real browser. One after the other, so that none waits for a busy machine.
export default {
  ...project,
  rootDir,
  displayName: 'samples',
  testMatch: ['<rootDir>/sample/**/test/*.e2e-spec.ts'],
  moduleNameMapper: ownName,
  testTimeout: 120_000,
  maxWorkers: 1,
};
