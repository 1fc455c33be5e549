export { SQLiteStorage } from './sqlite-storage.js';
export type { SQLiteStorageConfig } from './sqlite-storage-config.js';
export type { BackupOptions, BackupProgress, CheckProblem, CheckReport, CompactReport } from './maintenance.js';
