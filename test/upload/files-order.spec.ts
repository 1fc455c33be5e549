import {
  Controller,
  Module,
  Post,
  UploadedFiles,
  UseInterceptors,
  type INestApplication,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import {
  AnyStorageFilesInterceptor,
  MemoryStorage,
  Storage,
  StorageFilesInterceptor,
  type ResolvedPutOptions,
  type StagedBytes,
  type StoredUpload,
} from 'nestjs-storages';
import { file, form } from './form.js';
import { RawClient } from './raw-client.js';
import { createApplication } from './upload-application.js';

/** Has a file only when the one that came behind it is there. */
class BackwardsStorage extends MemoryStorage {
  readonly finished: string[] = [];
  readonly #gates = new Map<string, { readonly opened: Promise<void>; readonly open: () => void }>();

  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const staged = await super._stage(key, source, options);
    const next = String(Number(key) + 1);
    if (next !== '4') await this.#gate(next).opened;
    this.finished.push(key);
    this.#gate(key).open();
    return staged;
  }

  #gate(key: string): { readonly opened: Promise<void>; readonly open: () => void } {
    let gate = this.#gates.get(key);
    if (gate === undefined) {
      let open = (): void => undefined;
      const opened = new Promise<void>((resolve) => (open = resolve));
      this.#gates.set(key, (gate = { opened, open }));
    }
    return gate;
  }
}

describe('files that a storage has in another order than they were sent', () => {
  let app: INestApplication | undefined;

  afterEach(() => app?.close());

  const options = { key: ({ originalname }: { readonly originalname: string }) => originalname };
  it.each<[string, Type<NestInterceptor>]>([
    ['StorageFilesInterceptor', StorageFilesInterceptor('file', 3, options)],
    ['AnyStorageFilesInterceptor', AnyStorageFilesInterceptor(options)],
  ])('reach the handler of %s in the order of the form', async (_name, interceptor) => {
    const storage = new BackwardsStorage();

    @Controller()
    class FilesController {
      @Post('upload')
      @UseInterceptors(interceptor)
      upload(@UploadedFiles() files: StoredUpload[]): object {
        return { names: files.map(({ originalname }) => originalname) };
      }
    }

    @Module({ controllers: [FilesController], providers: [{ provide: Storage, useValue: storage }] })
    class FilesModule {}

    app = await createApplication(FilesModule);
    await app.listen(0, '127.0.0.1');
    const client = await RawClient.connect(((app.getHttpServer() as Server).address() as AddressInfo).port);
    try {
      client.post(form(...['1', '2', '3'].map((name) => file(name, 'file', name))));
      expect((await client.answer()).body).toEqual({ names: ['1', '2', '3'] });
      expect(storage.finished).toEqual(['3', '2', '1']);
    } finally {
      client.destroy();
    }
  });
});
