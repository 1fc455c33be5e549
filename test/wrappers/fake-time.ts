import { jest } from '@jest/globals';

/** Time that passes when a test says so. What is no timer goes on by itself. */
export function stopTime(): void {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
}

/** Lets everything that waits for no timer have its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets time pass, and all that comes of it. */
export async function pass(milliseconds: number): Promise<void> {
  await settle();
  await jest.advanceTimersByTimeAsync(milliseconds);
  await settle();
}

/** Lets every timer come due, one after the other, until a call has settled, however long that is. */
export async function settled<T>(call: Promise<T>): Promise<PromiseSettledResult<T>> {
  let result: PromiseSettledResult<T> | undefined;
  void Promise.allSettled([call]).then(([settledNow]) => {
    result = settledNow;
  });
  for (let turn = 0; turn < 200 && result === undefined; turn++) {
    await settle();
    await jest.advanceTimersToNextTimerAsync();
  }
  if (result === undefined) throw new Error('The call has not settled, and no timer is left that could settle it.');
  return result;
}
