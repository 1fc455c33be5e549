import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import {
  Body,
  Controller,
  Get,
  ImATeapotException,
  Post,
  Req,
  UploadedFile,
  UploadedFiles,
  UseInterceptors,
  type Type,
} from '@nestjs/common';
import type { Route } from './routes.js';
import { isUploadedFile, sha1, type UploadedFile as AnyFile, type UploadStore } from './upload-store.js';

/** What a handler does: answers at once, waits until its client has gone, or fails. */
export type HandlerKind = 'answers' | 'slow' | 'throws';

/** Files are compared by their bytes up to this size; the hash of a large one would block the loop that is measured. */
const HASHED_BYTES = 256 * 1024;

/** What the handlers of a server have done. */
export class HandlerLog {
  /** The files of handlers that have succeeded. They are there of right. */
  kept: AnyFile[] = [];
  #running = 0;
  #wake: (() => void)[] = [];

  /** Resolves when the handler of `/slow` runs. */
  async untilRunning(): Promise<void> {
    while (this.#running === 0) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  async running(work: Promise<unknown>): Promise<void> {
    this.#running++;
    for (const wake of this.#wake.splice(0)) wake();
    await work;
    this.#running--;
  }
}

/** A controller with one route, that answers with what it was given and what is stored. */
export function uploadController(route: Route, store: UploadStore, log: HandlerLog): Type {
  @Controller()
  class UploadController {
    @Post(route.path)
    @UseInterceptors(route.interceptor)
    async upload(
      @UploadedFile() file: unknown,
      @UploadedFiles() files: unknown,
      @Body() body: unknown,
      @Req() request: IncomingMessage | { readonly raw: IncomingMessage },
    ): Promise<unknown> {
      if (route.handler === 'throws') throw new ImATeapotException();
      const uploads = [file, ...listOf(files)].filter(isUploadedFile);
      const described = [];
      for (const upload of uploads) described.push(await describe(upload, store, route.path));
      if (route.handler === 'slow') {
        const { socket } = 'raw' in request ? request.raw : request;
        await log.running(socket.destroyed ? Promise.resolve() : once(socket, 'close'));
      }
      log.kept.push(...uploads);
      return { files: described, body };
    }
  }
  return UploadController;
}

@Controller()
export class PingController {
  @Get('ping')
  ping(): string {
    return 'pong';
  }
}

/** `@UploadedFiles()` gives an array, an object of arrays, or (beside @fastify/multipart) a function. */
function listOf(files: unknown): unknown[] {
  if (Array.isArray(files)) return files;
  return typeof files === 'object' && files !== null ? Object.values(files).flat() : [];
}

async function describe(file: AnyFile, store: UploadStore, path: string): Promise<object> {
  const { fieldname, originalname, mimetype, size, contentType } = file;
  // a file of a late commit cannot be read yet
  const stored = size <= HASHED_BYTES && !path.endsWith('late') ? { sha1: sha1(await store.read(file)) } : {};
  return { fieldname, originalname, mimetype, size, contentType, ...stored };
}
