import { StorageError, TimeoutError, type Storage, type StorageErrorCode, type StoredFile } from '../contract/index.js';
import { TimeLimit } from '../wrappers/time-limit.js';
import { Canary, canaryKey } from './canary.js';
import type { ResolvedHealthOptions, StorageHealthMode } from './storage-health-options.js';

/** How much of a named object is read, in bytes. */
const READ_BYTES = 4096;

/** What one run has found. */
export interface CheckedStorage {
  readonly mode: StorageHealthMode;
  readonly responseTime: number;
  /** What failed; undefined: nothing. */
  readonly error?: unknown;
  /** The canary as it was stored: its date is the storage's own now. */
  readonly canary?: StoredFile;
  /** Settles when nothing of the run is left. Never rejects, and may take longer than the run. */
  readonly cleaned: Promise<void>;
}

/** Checks a storage once. Resolves, also when the storage is down, within the time that it may take. */
export async function checkStorage(storage: Storage, options: ResolvedHealthOptions): Promise<CheckedStorage> {
  const started = performance.now();
  const canary = new Canary(storage, options.canaryPrefix);
  const limit = new TimeLimit(undefined, (milliseconds) => {
    return new TimeoutError(`The health check has not settled within ${milliseconds} ms (timeout).`);
  });
  let mode: StorageHealthMode = options.mode === 'read' ? 'read' : 'write';
  const found: { error?: unknown; canary?: StoredFile } = {};
  const { key } = options;
  try {
    await limit.wait(options.timeout, async () => {
      try {
        if (mode === 'write') found.canary = await canary.check(limit.signal);
      } catch (error) {
        if (options.mode !== 'auto' || codeOf(error) !== 'UNSUPPORTED_OPERATION') throw error;
        mode = 'read';
      }
      if (key !== undefined) await readFirstBytes(storage, key, limit.signal);
      else if (mode === 'read') await storage.exists(canaryKey(options.canaryPrefix), { signal: limit.signal });
    });
  } catch (error) {
    found.error = error;
  } finally {
    limit.end();
  }
  return {
    mode,
    responseTime: Math.round(performance.now() - started),
    ...found,
    cleaned: canary.remove(),
  };
}

async function readFirstBytes(storage: Storage, key: string, signal: AbortSignal): Promise<void> {
  const { size } = await storage.info(key, { signal });
  if (size === 0) return;
  try {
    await storage.getBytes(key, { range: { offset: 0, length: READ_BYTES }, signal });
  } catch (error) {
    // replaced meanwhile by an empty one, which the storage has told
    if (codeOf(error) !== 'RANGE_NOT_SATISFIABLE') throw error;
  }
}

/** Also for a storage that is none of ours, whose errors may be anything. */
export function codeOf(error: unknown): StorageErrorCode {
  return error instanceof StorageError ? error.code : 'STORAGE_FAILURE';
}
