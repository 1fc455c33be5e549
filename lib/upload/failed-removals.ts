import { Logger } from '@nestjs/common';
import { StorageClosedError } from '../contract/index.js';

const logger = new Logger('StorageUpload');

/** How long to wait before each further try, in milliseconds; the last one again and again. */
const PAUSES_MS = [1000, 10_000, 60_000, 600_000] as const;

interface Removal {
  readonly file: string;
  readonly remove: () => Promise<void>;
  tries: number;
  timer: NodeJS.Timeout | undefined;
  /** The try that is under way. */
  trying: Promise<void> | undefined;
}

/** What failed uploads have left in storages that would not remove it. Of the process: a storage may outlive the request and its module. */
const left = new Set<Removal>();

/**
 * Tries a removal again until it succeeds, as long as the process lives.
 *
 * @param file for logs
 * @param remove must be repeatable, and remove nothing that has come since
 */
export function tryAgainLater(file: string, remove: () => Promise<void>): void {
  const removal: Removal = { file, remove, tries: 0, timer: undefined, trying: undefined };
  left.add(removal);
  schedule(removal);
}

/** Tries everything once more, at shutdown: once, however many interceptors of the application ask for it. */
export async function removeWhatIsLeft(): Promise<void> {
  await Promise.all(
    [...left].map((removal) => {
      clearTimeout(removal.timer);
      return attempt(removal);
    }),
  );
}

function schedule(removal: Removal): void {
  const pause = PAUSES_MS[Math.min(removal.tries, PAUSES_MS.length - 1)];
  removal.timer = setTimeout(() => void attempt(removal), pause);
  // a process that has nothing else to do may end
  removal.timer.unref();
}

function attempt(removal: Removal): Promise<void> {
  removal.trying ??= tryOnce(removal).finally(() => {
    removal.trying = undefined;
  });
  return removal.trying;
}

async function tryOnce(removal: Removal): Promise<void> {
  removal.tries++;
  try {
    await removal.remove();
    logger.log(`The ${removal.file} of a failed upload has been removed after all.`);
    left.delete(removal);
  } catch (error) {
    if (error instanceof StorageClosedError) {
      left.delete(removal);
      logger.error(`The ${removal.file} of a failed upload stays: its storage was closed.`);
    } else if (left.has(removal)) {
      schedule(removal);
    }
  }
}
