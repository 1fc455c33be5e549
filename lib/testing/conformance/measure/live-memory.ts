import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collector: (() => void) | undefined;

/** Bytes of buffers that are alive: measured after collections, so that garbage that merely waits is not counted. */
export function liveBufferBytes(): number {
  collectGarbage();
  // once more: what a buffer's finalizer frees is counted by the next one
  collectGarbage();
  return bufferBytes();
}

/** Bytes of buffers, alive or not collected yet. */
export function bufferBytes(): number {
  return process.memoryUsage().external; // array buffers are a part of it
}

/** Resident bytes of the process. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}

/** Collects all garbage once, which takes as long as the heap is large: under a test runner a tenth of a second or more. */
export function collectGarbage(): void {
  collector ??= exposedCollector();
  collector();
}

function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const exposed: unknown = runInNewContext('gc');
  if (typeof exposed !== 'function') throw new Error('This runtime cannot be told to collect its garbage.');
  return () => {
    Reflect.apply(exposed, undefined, []);
  };
}
