import { StorageClosedError } from '../contract/index.js';
import { StorageLogger } from '../logging/index.js';

const logger = new StorageLogger('StorageUpload');

/** How long to wait before each further try, in milliseconds; the last one again and again. */
const PAUSES_MS = [1000, 10_000, 60_000, 600_000] as const;

/** A file that stays for now. Logs tell it by a number, and its key at `debug` only. */
export interface LeftFile {
  readonly removal: number;
  readonly storage: string;
  readonly key: string;
}

interface Removal {
  readonly file: LeftFile;
  readonly remove: () => Promise<void>;
  tries: number;
  timer: NodeJS.Timeout | undefined;
  /** The try that is under way. */
  trying: Promise<void> | undefined;
}

/** What failed uploads have left in storages that would not remove it. Of the process: a storage may outlive the request and its module. */
const left = new Set<Removal>();

let removals = 0;

export function leftFile(storage: string, key: string): LeftFile {
  return { removal: ++removals, storage, key };
}

export function fieldsOf({ removal, storage }: LeftFile): { readonly removal: number; readonly storage: string } {
  return { removal, storage };
}

/**
 * Tries a removal again until it succeeds, as long as the process lives.
 *
 * @param remove must be repeatable, and remove nothing that has come since
 */
export function tryAgainLater(file: LeftFile, remove: () => Promise<void>): void {
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
    logger.log('A file of a failed upload has been removed after all.', fieldsOf(removal.file));
    left.delete(removal);
  } catch (error) {
    if (error instanceof StorageClosedError) {
      left.delete(removal);
      logger.error('A file of a failed upload stays: its storage was closed.', {
        fields: fieldsOf(removal.file),
        key: removal.file.key,
      });
    } else if (left.has(removal)) {
      schedule(removal);
    }
  }
}
