import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds between two looks: what a look is about should have the processor meanwhile. */
const PAUSE = 5;

/**
 * Waits for what nobody tells: looks again and again.
 *
 * @param milliseconds how long at most
 * @throws where it does not come to be, so that no loop outlives its test
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  milliseconds = 30_000,
): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited in vain until ${what}.`);
    await delay(PAUSE);
  }
}
