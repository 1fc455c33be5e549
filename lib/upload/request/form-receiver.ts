import * as refused from '../errors/index.js';
import { verifyChecksums } from '../file/expected-checksum.js';
import { IncomingBytes } from '../file/incoming-bytes.js';
import type { NamedFile, ReceivedFile } from '../file/stage-file.js';
import { cleanFileName } from '../multipart/file-name.js';
import { addFormField, closeArrayGaps, formFieldOf, type FormBody } from '../multipart/form-body.js';
import { MultipartParser, type MultipartError, type MultipartListener } from '../multipart/multipart-parser.js';
import type { PartHeader } from '../multipart/part-header.js';
import type { FileRule } from '../upload-rules.js';
import { FilesInFlight } from './files-in-flight.js';
import { FormContents } from './form-contents.js';
import { bodyOptions, type ReceiverOptions } from './receiver-options.js';
import { RequestBody, type BodyTaker } from './request-body.js';
import { TextField } from './text-field.js';

export interface FormReceiverOptions extends ReceiverOptions {
  readonly boundary: string;
  /** Takes the text fields as they come, so that a `key` function sees those before its file. */
  readonly body: FormBody;
}

/** The part whose bytes are coming. */
type OpenPart =
  | { readonly kind: 'text'; readonly field: TextField }
  | { readonly kind: 'file'; readonly file: NamedFile; readonly rule: FileRule; readonly bytes: IncomingBytes }
  /** A file input that was left empty is sent without a name and without bytes. With bytes it is a file without a name. */
  | { readonly kind: 'unnamed'; readonly fieldname: string; readonly header: PartHeader };

/**
 * Reads one form from its request into a unit: what the parser tells is checked against the rules, text fields go to the body, files to their
 * storages as they come. The first failure wins and stops everything; what is told after it is ignored.
 */
export class FormReceiver implements MultipartListener, BodyTaker {
  readonly #options: FormReceiverOptions;
  readonly #parser: MultipartParser;
  readonly #requestBody: RequestBody;
  readonly #files: FilesInFlight;
  readonly #contents: FormContents;
  #part: OpenPart | undefined;
  #settled = false;
  #resolve: (files: readonly ReceivedFile[]) => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;

  constructor(options: FormReceiverOptions) {
    const { context, rules, unit, boundary } = options;
    this.#options = options;
    this.#contents = new FormContents(rules);
    this.#parser = new MultipartParser(boundary, this, rules.limits.headerPairs);
    this.#requestBody = new RequestBody(bodyOptions(options), this);
    this.#files = new FilesInFlight(unit, context, this.#requestBody.resume);
  }

  /**
   * Resolves to the files, in the order in which they came, once the closing delimiter has been read, the body has ended and every file
   * is staged. Rejects with the first failure; then nothing is read from the request any more, and the unit is to be rolled back.
   */
  receive(): Promise<readonly ReceivedFile[]> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#requestBody.start();
    });
  }

  // ------------------------------------------------------------------------------------------- what the request gives

  get full(): boolean {
    return this.#files.full;
  }

  take(chunk: Buffer): void {
    this.#parser.write(chunk);
  }

  end(): void {
    this.#parser.end();
  }

  // ------------------------------------------------------------------------------------------- what the parser tells

  onPartBegin(header: PartHeader): void {
    this.#orFail(() => {
      const fieldname = this.#contents.addPart(header.name);
      if (header.filename === undefined && !isBytes(header)) {
        this.#contents.addField(fieldname);
        this.#part = { kind: 'text', field: new TextField(fieldname, header.charset) };
      } else if (header.filename === undefined || header.filename === '') {
        this.#part = { kind: 'unnamed', fieldname, header };
      } else {
        this.#part = this.#openFile(fieldname, header);
      }
    });
  }

  onPartData(bytes: Buffer): void {
    this.#orFail(() => {
      if (this.#part?.kind === 'unnamed') this.#part = this.#openFile(this.#part.fieldname, this.#part.header);
      const part = this.#part;
      if (part?.kind === 'text') {
        part.field.add(bytes);
        this.#contents.addFieldBytes(part.field.name, part.field.size, bytes.length);
      } else if (part?.kind === 'file') {
        this.#contents.addFileBytes(part.file, part.rule, part.bytes.size + bytes.length, bytes.length);
        part.bytes.give(bytes);
      }
    });
  }

  onPartEnd(): void {
    this.#orFail(() => {
      const part = this.#part;
      this.#part = undefined;
      if (part?.kind === 'text') {
        const { name } = part.field;
        const value = part.field.value();
        if (value === undefined) throw refused.fieldValueUnreadable(name);
        addFormField(this.#options.body, name, value, this.#options.rules.limits);
      } else if (part?.kind === 'file') {
        if (part.bytes.size < part.rule.minFileSize) throw refused.fileTooSmall(part.file, part.rule.minFileSize);
        part.bytes.end();
      }
    });
  }

  onError(error: MultipartError): void {
    switch (error.reason) {
      case 'malformed-header':
        this.fail(refused.malformedHeader(error));
        break;
      case 'malformed-body':
        this.fail(refused.malformedBody(error));
        break;
      case 'unexpected-end':
        this.fail(refused.unexpectedEnd(error));
        break;
    }
  }

  onEnd(): void {
    this.#files.whenAll(() => {
      this.#orFail(() => {
        const { body, request } = this.#options;
        this.#contents.checkComplete();
        const files = this.#files.received;
        verifyChecksums(files, request.headers, (name) => formFieldOf(body, name));
        closeArrayGaps(body);
        this.#settled = true;
        this.#requestBody.done();
        this.#resolve(files);
      });
    });
  }

  // ---------------------------------------------------------------------------------------------------- one file

  #openFile(fieldname: string, header: PartHeader): OpenPart {
    const file: NamedFile = {
      fieldname,
      originalname: cleanFileName(header.filename ?? ''),
      encoding: header.encoding,
      mimetype: header.mimeType ?? 'text/plain',
    };
    const rule = this.#contents.ruleOf(file);
    this.#contents.addFile(file, rule);
    const bytes = new IncomingBytes(rule.checksum?.algorithm, this.#requestBody.resume);
    this.#files.take(
      file,
      bytes,
      rule,
      () => {
        this.#contents.dropFile(fieldname);
      },
      (error) => {
        this.fail(error);
      },
    );
    return { kind: 'file', file, rule, bytes };
  }

  // ---------------------------------------------------------------------------------------------------- the end

  #orFail(work: () => void): void {
    if (this.#settled) return;
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#parser.stop();
    this.#requestBody.stop();
    this.#files.fail(error instanceof Error ? error : new Error('The upload failed.', { cause: error }));
    this.#reject(error);
  }
}

/** Some clients send a file without a name; its type says that it is no text. multer's parser (busboy) reads it so too. */
function isBytes({ mimeType }: PartHeader): boolean {
  return mimeType === 'application/octet-stream';
}
