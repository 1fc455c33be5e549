import type { CheckProblem } from './protocol.js';

export type { CheckProblem };

/** How far a backup has come, in bytes of the database. The total may grow while it is in use. */
export interface BackupProgress {
  readonly transferred: number;
  readonly total: number;
}

export interface BackupOptions {
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/** What `compact` gave back. */
export interface CompactReport {
  /** Bytes by which the file became shorter. */
  readonly freed: number;
}

/** What `check` found. */
export interface CheckReport {
  /** Whether there is no problem. */
  readonly ok: boolean;
  readonly objects: number;
  /** Of all objects together. */
  readonly bytes: number;
  readonly problems: readonly CheckProblem[];
}
