import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import { ConfigurationError, isStorage } from '../contract/index.js';
import type { Headers } from './answer-headers.js';

/** One HTTP answer, before it is put on a platform's response. */
export interface Answer {
  /** Undefined: whatever status the handler has (200 for GET, or what its decorators say). */
  readonly status?: 206 | 302 | 304;
  readonly headers: Headers;
  /** Undefined: no body. */
  readonly body?: Readable;
}

/** Who asks, and until when. */
export interface Asked {
  readonly request: IncomingMessage;
  /** What the answer would have without conditions and ranges. Where that is no success they say nothing (RFC 9110, sections 13.2.1 and 14.2). */
  readonly status: number;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** What a handler returns to have stored bytes sent. For Nest and its interceptors it is a `StreamableFile`. */
export abstract class DownloadAnswer extends StreamableFile {
  #unanswered: Readable | undefined;

  /** @param made what the handler called, as it stands in its code */
  constructor(private readonly made: string) {
    super(NO_STREAM);
  }

  /** Makes the answer, when a request is there for it. @internal */
  abstract answerTo(asked: Asked): Promise<Answer>;

  /** Tells whoever watches what the handler returned, or is about to, that it broke off: an upload that the answer belongs to. @internal */
  breakOff(error: Error): void {
    this.getStream().destroy(error);
  }

  /**
   * Never read where the module's interceptor has put an answer in the place of this: Nest asks for it all the same, to destroy it. Read
   * where nothing has, it fails with what is missing.
   */
  override getStream(): Readable {
    const { made } = this;
    this.#unanswered ??= new Readable({
      read() {
        this.destroy(notAnswered(made));
      },
    }).on('error', () => undefined);
    return this.#unanswered;
  }
}

/** @throws ConfigurationError at the handler's call, where the mistake is */
export function checkStorage(made: string, storage: unknown): void {
  if (!isStorage(storage)) {
    throw new ConfigurationError(`${made} takes a storage first: inject one by @InjectStorage().`);
  }
}

function notAnswered(made: string): ConfigurationError {
  return new ConfigurationError(
    `A handler returned ${made}, and nothing has made an answer of it: import StorageModule into the application, or bind ` +
      'StoredFileInterceptor to the handler.',
  );
}

/** What a `StreamableFile` takes for a stream. None that is one: it costs as much as to send a small file, and nobody ever gets to see it. */
const NO_STREAM = { pipe: () => undefined } as unknown as Readable;
