export { FileSystemStorage } from './filesystem-storage.js';
export type { FileSystemStorageConfig } from './filesystem-storage-config.js';
export type {
  FileSystemCheckProblem,
  FileSystemCheckReport,
  FileSystemSweepOptions,
  FileSystemSweepReport,
} from './maintenance.js';
