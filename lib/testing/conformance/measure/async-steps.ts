import { createHook } from 'node:async_hooks';

/**
 * Counts the asynchronous steps (promises, requests to the system) that begin while some work runs: how much a storage does,
 * measured without a clock.
 */
export async function countSteps<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly steps: number }> {
  let steps = 0;
  const hook = createHook({
    init: () => {
      steps++;
    },
  }).enable();
  try {
    const result = await work();
    return { result, steps };
  } finally {
    hook.disable();
  }
}
