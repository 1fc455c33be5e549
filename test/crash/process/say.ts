import type { BaseStorage } from '../../../lib/contract/index.js';
import type { CrashStore } from '../stores/index.js';
import { identify } from '../workload/version.js';

/** One line for the harness: a word and what belongs to it. At once: what was said before a kill has been said. */
export function say(word: string, ...details: readonly unknown[]): void {
  process.stdout.write(`${JSON.stringify([word, ...details])}\n`);
}

/**
 * Says what is in a storage: `found <key> <version>` for each object, `fault <kind> <what> [key]` for what is none, and what is left over.
 *
 * @param keys those that may be there: none that a listing passes over may be
 */
export async function sayInventory(
  store: CrashStore,
  storage: BaseStorage,
  folder: string,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const objects = new Map<string, string>();
  const etags = await list(storage);
  // also those that a listing has passed over, or did not come to
  const candidates = new Set([...etags.keys(), ...keys]);
  for (const key of candidates) {
    const version = await read(storage, key, etags);
    if (version !== undefined) objects.set(key, version);
  }
  for (const left of await store.leftovers(storage, folder, candidates)) say('fault', 'left over', left);
  return objects;
}

/** @returns the etags of all keys, as far as the listing came */
async function list(storage: BaseStorage): Promise<Map<string, string>> {
  const etags = new Map<string, string>();
  try {
    for await (const { key, etag } of storage.list()) {
      if (etags.has(key)) say('fault', 'failed', `${key} is listed twice`);
      etags.set(key, etag);
    }
  } catch (error) {
    say('fault', 'failed', `the listing fails: ${String(error)}`);
  }
  return etags;
}

async function read(
  storage: BaseStorage,
  key: string,
  etags: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  const listed = etags.get(key);
  try {
    if (listed === undefined && !(await storage.exists(key))) return undefined;
    const stream = await storage.get(key);
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    const found = identify(stream.file, Buffer.concat(chunks));
    if (found.fault !== undefined) {
      say('fault', found.fault, `${key}: ${found.why}`, key);
      return undefined;
    }
    if (listed === undefined) say('fault', 'failed', `${key} is there and not listed`);
    else if (listed !== stream.file.etag) say('fault', 'mixed', `${key} has another etag in the listing`);
    say('found', key, found.version);
    return found.version;
  } catch (error) {
    say('fault', 'failed', `${key} cannot be read: ${String(error)}`, key);
    return undefined;
  }
}
