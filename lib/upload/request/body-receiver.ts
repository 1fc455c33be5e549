import { fileNameOfRequest } from '../file/request-file-name.js';
import * as refused from '../errors/index.js';
import type { UploadException } from '../errors/index.js';
import { verifyChecksums } from '../file/expected-checksum.js';
import { IncomingBytes } from '../file/incoming-bytes.js';
import type { NamedFile, ReceivedFile } from '../file/stage-file.js';
import type { FileRule } from '../upload-rules.js';
import { FilesInFlight } from './files-in-flight.js';
import { bodyOptions, type ReceiverOptions } from './receiver-options.js';
import { RequestBody, type BodyTaker } from './request-body.js';

/** What the one file of a raw body is called where a field's name is needed. */
export const BODY_FIELD = 'body';

/** Reads the whole body of a request as one file into a unit. */
export class BodyReceiver implements BodyTaker {
  readonly #options: ReceiverOptions;
  readonly #rule: FileRule;
  readonly #file: NamedFile;
  readonly #requestBody: RequestBody;
  readonly #files: FilesInFlight;
  readonly #bytes: IncomingBytes;
  /** The one file is all of the files. */
  readonly #maxSize: number;
  #settled = false;
  #resolve: (files: readonly ReceivedFile[]) => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;

  constructor(options: ReceiverOptions, rule: FileRule) {
    this.#options = options;
    this.#rule = rule;
    const { headers } = options.request;
    this.#file = {
      fieldname: BODY_FIELD,
      originalname: fileNameOfRequest(headers['content-disposition']),
      encoding: '7bit',
      mimetype: /^[^;,\s]+/.exec(headers['content-type'] ?? '')?.[0].toLowerCase() ?? 'application/octet-stream',
    };
    this.#maxSize = Math.min(rule.fileSize, options.rules.limits.totalSize);
    this.#requestBody = new RequestBody(bodyOptions(options), this);
    this.#files = new FilesInFlight(options.unit, options.context, this.#requestBody.resume);
    this.#bytes = new IncomingBytes(rule.checksum?.algorithm, this.#requestBody.resume);
  }

  /** As a form's: resolves to the one file, or none where a filter has left it out. */
  receive(): Promise<readonly ReceivedFile[]> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      const { headers } = this.#options.request;
      // said before it is sent: then nothing need be taken
      if (Number(headers['content-length'] ?? 0) > this.#maxSize) {
        this.fail(this.#tooLarge());
        return;
      }
      this.#files.take(
        this.#file,
        this.#bytes,
        this.#rule,
        () => undefined,
        (error) => {
          this.fail(error);
        },
      );
      this.#requestBody.start();
    });
  }

  get full(): boolean {
    return this.#files.full;
  }

  take(chunk: Buffer): void {
    if (this.#settled) return;
    if (this.#bytes.size + chunk.length > this.#maxSize) this.fail(this.#tooLarge());
    else this.#bytes.give(chunk);
  }

  end(): void {
    if (this.#settled) return;
    const { minFileSize } = this.#rule;
    if (this.#bytes.size < minFileSize) {
      this.fail(refused.fileTooSmall(this.#file, minFileSize));
      return;
    }
    this.#bytes.end();
    this.#files.whenAll(() => {
      if (this.#settled) return;
      try {
        const files = this.#files.received;
        if (this.#rule.required && files.length === 0) throw refused.bodyMissing();
        verifyChecksums(files, this.#options.request.headers, () => undefined);
        this.#settled = true;
        this.#requestBody.done();
        this.#resolve(files);
      } catch (error) {
        this.fail(error);
      }
    });
  }

  fail(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#requestBody.stop();
    this.#files.fail(error instanceof Error ? error : new Error('The upload failed.', { cause: error }));
    this.#reject(error);
  }

  #tooLarge(): UploadException {
    const { fileSize } = this.#rule;
    // the narrower bound is the one that was met
    return fileSize <= this.#options.rules.limits.totalSize
      ? refused.fileTooLarge(this.#file, fileSize)
      : refused.filesTooLarge(this.#file, this.#maxSize);
  }
}
