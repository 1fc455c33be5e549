import { afterEach, expect } from '@jest/globals';
import { AnyStorageFilesInterceptor, type UploadOptions } from 'nestjs-storages';
import type { Part } from './form.js';
import { RoutesApplication } from './routes-application.js';
import { WatchedStorage } from './watched-storage.js';

/** A route that takes any files, and the storage behind it. */
export interface WatchedRoute {
  readonly application: RoutesApplication;
  readonly storage: WatchedStorage;
  start(options: UploadOptions): Promise<void>;
  /** What a success has stored, in the order of the files. */
  stored(...parts: readonly Part[]): Promise<Buffer[]>;
  /** The status of a refusal, and its code or message; nothing is left of it. */
  refused(...parts: readonly Part[]): Promise<unknown>;
  close(): Promise<void>;
}

/** One for each test of the file that asks for it; it is closed after each. */
export function watchedRoute(): WatchedRoute {
  let running: { readonly application: RoutesApplication; readonly storage: WatchedStorage } | undefined;
  const current = (): NonNullable<typeof running> => {
    if (running === undefined) throw new Error('The route has not been started.');
    return running;
  };
  const close = async (): Promise<void> => {
    await running?.application.close();
    running = undefined;
  };
  afterEach(close);

  return {
    get application() {
      return current().application;
    },
    get storage() {
      return current().storage;
    },
    start: async (options) => {
      const storage = new WatchedStorage();
      const routes = { upload: AnyStorageFilesInterceptor(options) };
      running = { storage, application: await RoutesApplication.start({ routes, storages: { main: storage } }) };
    },
    stored: async (...parts) => {
      const { application, storage } = current();
      const { status, body } = await application.post('upload', ...parts);
      expect(status).toBe(200);
      const { files } = body as { files: { key: string }[] };
      return Promise.all(files.map(({ key }) => storage.getBytes(key)));
    },
    refused: async (...parts) => {
      const { application, storage } = current();
      const { status, body } = await application.post('upload', ...parts);
      await storage.untilNothing();
      const { code, message } = body as { code?: string; message: string };
      return [status, code ?? message];
    },
    close,
  };
}
