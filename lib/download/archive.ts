import { InvalidArgumentError, type Storage } from '../contract/index.js';
import { onAbort } from '../contract/base/abort.js';
import { headerValue } from '../contract/options/resolve-attributes.js';
import { ArchiveNames } from './archive-names.js';
import type { ArchiveOptions } from './archive-options.js';
import { compressionLevelOf } from './compression-level.js';
import { dispositionOf } from './disposition.js';
import { checkStorage, DownloadAnswer, type Answer, type Asked } from './download-answer.js';
import { firstBytesOf } from './first-bytes.js';
import { refuseUnknown } from './option-names.js';
import { zipStream, type ZipEntry } from './zip-stream.js';

const OPTIONS: Readonly<Record<keyof ArchiveOptions, true>> = {
  filename: true,
  name: true,
  level: true,
  cacheControl: true,
};

/** A zip archive of stored files as a handler's return value; see {@link archive}. */
export class ArchiveAnswer extends DownloadAnswer {
  constructor(
    readonly storage: Storage,
    readonly keysOrPrefix: readonly string[] | string,
    readonly archiveOptions: ArchiveOptions,
  ) {
    super('archive()');
  }

  /** @internal */
  override async answerTo({ request, signal }: Asked): Promise<Answer> {
    const keys = typeof this.keysOrPrefix === 'string' ? undefined : await this.#presentKeys(this.keysOrPrefix, signal);
    const headers = {
      'Content-Type': 'application/zip',
      'Content-Disposition': dispositionOf({ key: this.#filename() }, { disposition: 'attachment' }, false),
      'Cache-Control': this.archiveOptions.cacheControl ?? 'private, no-store',
      'X-Content-Type-Options': 'nosniff',
    };
    if (request.method === 'HEAD') return { headers };
    const controller = new AbortController();
    const body = zipStream(this.#entries(keys ?? this.#listedKeys(controller.signal), controller.signal));
    body.once('close', () => {
      controller.abort();
    });
    const off = onAbort(signal, (error) => body.destroy(error));
    try {
      return { headers, body: await firstBytesOf(body) };
    } finally {
      off();
    }
  }

  /** Canonical, and each once. @throws FileNotFoundError for the first one that is missing */
  async #presentKeys(keys: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>> {
    const present = new Set<string>();
    for (const key of keys) present.add((await this.storage.info(key, { signal })).key);
    return present;
  }

  async *#listedKeys(signal: AbortSignal): AsyncGenerator<string> {
    for await (const { key } of this.storage.list(String(this.keysOrPrefix), { signal })) yield key;
  }

  async *#entries(keys: Iterable<string> | AsyncIterable<string>, signal: AbortSignal): AsyncGenerator<ZipEntry> {
    const { name: nameOf, level } = this.archiveOptions;
    const names = new ArchiveNames();
    for await (const key of keys) {
      const stream = await this.storage.get(key, { signal });
      try {
        const name = names.add(nameOf?.(stream.file) ?? stream.file.key);
        yield { name, level: level ?? compressionLevelOf(stream.file), stream };
      } finally {
        stream.destroy();
      }
    }
  }

  #filename(): string {
    const { filename } = this.archiveOptions;
    if (filename !== undefined) return filename;
    const last = typeof this.keysOrPrefix === 'string' ? /([^\\/]*)[\\/]*$/.exec(this.keysOrPrefix)?.[1] : undefined;
    return `${last === undefined || last === '' ? 'archive' : last}.zip`;
  }
}

/**
 * Answers with a zip archive of stored files, which is made while it is sent: one file is open at a time, and nothing is kept but the names, however large
 * the files are. Names are UTF-8, dates are those of the files, and more than 4 GiB or 65,535 files make it a zip64. Its length is not known
 * beforehand, so it has no ranges. When the client goes away the storage is let go at once; a file that vanishes or breaks in the middle cuts the
 * connection, so that no client takes a part for the whole.
 *
 * @param keysOrPrefix keys, of which each goes in once, and of which a missing one is a `FileNotFoundError` (404) before the first byte; or a prefix, as for
 *   `list` (`''` is everything), under which there may be nothing: then the archive is empty
 * @throws ConfigurationError, InvalidArgumentError at once for what is no storage, key or option
 * @example
 * @Get('reports.zip')
 * reports() {
 *   return archive(this.files, 'reports/2026/', { name: (file) => file.key.slice('reports/'.length) });
 * }
 */
export function archive(
  storage: Storage,
  keysOrPrefix: readonly string[] | string,
  options: ArchiveOptions = {},
): ArchiveAnswer {
  checkStorage('archive()', storage);
  checkKeys(keysOrPrefix);
  checkOptions(options);
  return new ArchiveAnswer(storage, keysOrPrefix, options);
}

function checkKeys(keysOrPrefix: unknown): void {
  const isList = Array.isArray(keysOrPrefix) && keysOrPrefix.every((key) => typeof key === 'string');
  if (typeof keysOrPrefix !== 'string' && !isList) {
    throw new InvalidArgumentError('archive() takes an array of keys, or a prefix as a string.');
  }
}

function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError('The options must be an object.');
  refuseUnknown(options, OPTIONS);
  const { filename, name, level, cacheControl } = options as Record<string, unknown>;
  if (filename !== undefined && typeof filename !== 'string') {
    throw new InvalidArgumentError('filename must be a string.');
  }
  if (name !== undefined && typeof name !== 'function') {
    throw new InvalidArgumentError('name must be a function of the file.');
  }
  if (level !== undefined && !(Number.isInteger(level) && Number(level) >= 0 && Number(level) <= 9)) {
    throw new InvalidArgumentError('level must be a whole number from 0 to 9.');
  }
  headerValue('cacheControl', cacheControl);
}
