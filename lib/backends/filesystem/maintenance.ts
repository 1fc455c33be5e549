import type { Duration } from '../../contract/index.js';

/** One finding of a check. */
export interface FileSystemCheckProblem {
  /**
   * `unreadable-attributes`: an object whose attributes are missing or damaged; it is read with default ones. `orphaned-attributes`:
   * attributes that belong to no object. `leftover`: a temporary, a lock or a record of a storage that is gone. `hidden-object`: an object
   * in the private folder behind a file that somebody put at its ordinary path. `foreign`: what lies in the root and is no object: a link,
   * a socket, a FIFO, a name that no key can have, or something in the private folder that this library did not make.
   */
  readonly kind: 'unreadable-attributes' | 'orphaned-attributes' | 'leftover' | 'hidden-object' | 'foreign';
  /** Where it concerns an object. */
  readonly key?: string;
  /** Relative to the root. */
  readonly path?: string;
  readonly message: string;
}

/** What `check` found. */
export interface FileSystemCheckReport {
  /** Whether there is no problem. */
  readonly ok: boolean;
  readonly objects: number;
  /** Of all objects together. */
  readonly bytes: number;
  readonly problems: readonly FileSystemCheckProblem[];
}

export interface FileSystemSweepOptions {
  /**
   * Attributes without an object that have lain there for longer are removed. Longer than a restore takes: it may bring the attributes
   * before the bodies. What dead storages left is removed whatever its age.
   */
  readonly olderThan: Duration;
}

/** What `sweep` removed. */
export interface FileSystemSweepReport {
  /** Bytes that killed processes had not committed, in files. */
  readonly temporaries: number;
  /** Locks of killed processes. */
  readonly locks: number;
  /** Attribute files without an object. */
  readonly attributes: number;
}
