import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collectGarbage: (() => void) | undefined;

/** Bytes of buffers that are alive: measured after a collection, so that garbage that merely waits is not counted. */
export function liveBufferBytes(): number {
  collectGarbage ??= exposedCollector();
  collectGarbage();
  return process.memoryUsage().external; // array buffers are a part of it
}

/** Resident bytes of the process. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}

function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collector: unknown = runInNewContext('gc');
  if (typeof collector !== 'function') throw new Error('This runtime cannot be told to collect its garbage.');
  return () => {
    // twice: what a buffer's finalizer frees is counted by the next one
    Reflect.apply(collector, undefined, []);
    Reflect.apply(collector, undefined, []);
  };
}
