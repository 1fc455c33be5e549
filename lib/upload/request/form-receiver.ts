import { AsyncResource } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import type { ExecutionContext } from '@nestjs/common';
import { ConfigurationError, FileExistsError, StorageError } from '../../contract/index.js';
import * as refused from '../errors/index.js';
import { contentTypeOfBytes } from '../file/content-type-of-bytes.js';
import { readHead } from '../file/part-head.js';
import { openBusboyParser } from '../multipart/busboy-parser.js';
import { cleanFileName, unescapeFormName } from '../multipart/file-name.js';
import { addFormField, type FormBody } from '../multipart/form-body.js';
import type { MultipartListener, PartHeader } from '../multipart/multipart-parser.js';
import type { IncomingFile } from '../stored-upload.js';
import type { FileRule, FormRules } from '../upload-rules.js';
import type { UnitFile, UploadUnit } from '../upload-unit.js';
import { FormContents } from './form-contents.js';

/** What a receiver works with. */
export interface FormReceiverOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly context: ExecutionContext;
  readonly boundary: string;
  readonly rules: FormRules;
  /** Takes the files. */
  readonly unit: UploadUnit;
  /** Takes the text fields as they come, so that a `key` function sees those before its file. */
  readonly body: FormBody;
}

/** A file that has been staged. */
export interface ReceivedFile {
  readonly incoming: IncomingFile;
  readonly rule: FileRule;
  readonly unitFile: UnitFile;
}

/**
 * Reads one form from its request into a unit: what the parser tells is checked against the rules, text fields go to the body, files to their
 * storages as they come. The first failure wins and stops everything; what is told after it is ignored.
 */
export class FormReceiver implements MultipartListener {
  readonly #options: FormReceiverOptions;
  readonly #files: (ReceivedFile | undefined)[] = [];
  readonly #tasks: Promise<void>[] = [];
  /** The files that have not been taken to their end. */
  readonly #open = new Set<Readable>();
  readonly #contents: FormContents;
  /** The application's functions run in the context of the handler, not in that of the socket's events. */
  readonly #scope = new AsyncResource('StorageUpload');
  #sink: Writable | undefined;
  #settled = false;
  #resolve: (files: readonly ReceivedFile[]) => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;

  constructor(options: FormReceiverOptions) {
    this.#options = options;
    this.#contents = new FormContents(options.rules);
  }

  /**
   * Resolves to the files, in the order in which they came, once the closing delimiter has been read, the body has ended and every file
   * is staged. Rejects with the first failure; then nothing is read from the request any more, and the unit is to be rolled back.
   */
  receive(): Promise<readonly ReceivedFile[]> {
    const { request, response, boundary, rules, unit } = this.#options;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (request.readableDidRead) {
        this.#fail(bodyReadBefore());
        return;
      }
      if (request.destroyed || unit.signal.aborted) {
        this.#fail(refused.requestAborted());
        return;
      }
      request.on('error', this.#onGone).on('close', this.#onGone);
      // answered by somebody else (a timeout, say), or the connection is gone: either way nobody waits for the handler
      response.on('close', this.#onAnswered);
      unit.signal.addEventListener('abort', this.#onAnswered);
      this.#sink = openBusboyParser({ boundary, limits: rules.limits }, this);
      request.pipe(this.#sink);
    });
  }

  // ------------------------------------------------------------------------------------------- what the parser tells

  onFile(header: PartHeader, bytes: Readable): void {
    if (this.#settled) {
      bytes.destroy();
      return;
    }
    this.#open.add(bytes);
    bytes.once('close', () => this.#open.delete(bytes));
    const index = this.#files.push(undefined) - 1;
    const task = this.#scope.runInAsyncScope(() => this.#takeFile(header, bytes, index));
    this.#tasks.push(
      task.catch((error: unknown) => {
        this.#fail(error);
      }),
    );
  }

  onFileLimit(header: PartHeader): void {
    this.#fail(refused.fileTooLarge(unescapeFormName(header.name ?? ''), this.#options.rules.limits.fileSize));
  }

  onField(header: PartHeader, value: string | undefined, truncated: boolean): void {
    if (this.#settled) return;
    try {
      const name = this.#contents.addPart(header);
      addFormField(this.#options.body, name, this.#contents.addField(name, value, truncated));
    } catch (error) {
      this.#fail(error);
    }
  }

  onPartsLimit(): void {
    this.#fail(refused.tooManyParts(this.#options.rules.limits.parts));
  }

  onError(error: Error): void {
    const header = error.message === 'Malformed part header';
    this.#fail(header ? refused.malformedHeader(error) : refused.unexpectedEnd(error));
  }

  onEnd(): void {
    void Promise.all(this.#tasks).then(() => {
      if (this.#settled) return;
      const missing = this.#contents.missingFile();
      if (missing !== undefined) {
        this.#fail(refused.fileMissing(missing));
        return;
      }
      this.#settle();
      this.#options.request.off('error', this.#onGone);
      this.#resolve(this.#files.filter((file) => file !== undefined));
    });
  }

  // ---------------------------------------------------------------------------------------------------- one file

  async #takeFile(header: PartHeader, bytes: Readable, index: number): Promise<void> {
    const fieldname = this.#contents.addPart(header);
    // A file input that was left empty is sent without a name and without bytes. With bytes it is a file without a name.
    const named = header.filename !== undefined;
    if (named) this.#contents.ruleOf(fieldname);
    const head = await readHead(bytes);
    if (!named && head.whole && head.bytes.length === 0) return;

    const rule = this.#contents.addFile(fieldname);
    const { contentType, extension } = await contentTypeOfBytes(head.bytes, header.mimeType);
    const incoming: IncomingFile = {
      fieldname,
      originalname: cleanFileName(header.filename ?? ''),
      encoding: header.encoding,
      mimetype: header.mimeType,
      contentType,
      extension,
    };
    const unitFile = await this.#stage(incoming, rule, head.whole ? head.bytes : bytes);
    if (!head.whole && !bytes.readableEnded) {
      throw new StorageError('The storage staged a file that it had not read to its end.', {
        storage: rule.storageName,
      });
    }
    this.#files[index] = { incoming, rule, unitFile };
  }

  async #stage(incoming: IncomingFile, rule: FileRule, data: Buffer | Readable): Promise<UnitFile> {
    const { unit, context } = this.#options;
    const { storage, storageName, overwrite, metadata } = rule;
    const key = await rule.key?.(incoming, context);
    // a key that nobody has chosen is there already with no one
    const createOnly = key !== undefined && !overwrite;
    const options = {
      contentType: incoming.contentType,
      metadata: typeof metadata === 'function' ? await metadata(incoming, context) : metadata,
      ...(createOnly ? { ifNoneMatch: '*' as const } : undefined),
    };
    unit.signal.throwIfAborted();
    // The commit decides. This spares a client from sending all of a large file before it hears of it.
    if (createOnly && !Buffer.isBuffer(data) && (await storage.exists(key, { signal: unit.signal }))) {
      throw new FileExistsError(key);
    }
    return unit.stage({
      storage,
      storageName,
      key: key ?? randomUUID() + incoming.extension,
      data,
      options,
      replaces: key !== undefined && overwrite,
    });
  }

  // ---------------------------------------------------------------------------------------------------- the end

  readonly #onGone = (error?: Error): void => {
    // every request closes after its end
    if (!this.#options.request.readableEnded) this.#fail(refused.requestAborted(error));
  };

  readonly #onAnswered = (): void => {
    this.#fail(refused.requestAborted());
  };

  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#settle();
    const { request } = this.#options;
    const reason = error instanceof Error ? error : new Error('The upload failed.', { cause: error });
    if (this.#sink !== undefined) {
      request.unpipe(this.#sink);
      // the files first: with our reason, before the parser gives them its own
      for (const bytes of this.#open) bytes.destroy(reason);
      const sink = this.#sink;
      process.nextTick(() => sink.destroy());
    }
    this.#reject(error);
  }

  #settle(): void {
    const { request, response, unit } = this.#options;
    this.#settled = true;
    // Not the request's error listener: one that fails now, refused and half read, must not end the process.
    request.off('close', this.#onGone);
    response.off('close', this.#onAnswered);
    unit.signal.removeEventListener('abort', this.#onAnswered);
  }
}

/** A mistake of the application, which its log should tell and the client need not know. */
function bodyReadBefore(): ConfigurationError {
  return new ConfigurationError(
    'The body of this request was read before the upload interceptor got it: another body parser (express.raw, multer, a proxy) ' +
      'takes multipart/form-data on this route. Take it off.',
  );
}
