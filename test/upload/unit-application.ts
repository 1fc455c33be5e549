import {
  Body,
  Controller,
  Module,
  Post,
  UploadedFiles,
  UseInterceptors,
  type NestInterceptor,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FileSystemStorage,
  StorageFileFieldsInterceptor,
  StorageModule,
  type Storage,
  type StoredUpload,
  type UploadFieldOptions,
  type UploadOptions,
} from 'nestjs-storages';
import { FaultyStorage } from 'nestjs-storages/testing';
import type { Part } from './form.js';
import { ModuleApplication } from './module-application.js';
import type { Answer } from './raw-client.js';
import { WatchedStorage } from './watched-storage.js';

export type UploadsByField = Readonly<Partial<Record<'avatar' | 'documents' | 'disk', readonly StoredUpload[]>>>;

export interface UnitSetup {
  readonly options?: Omit<UploadOptions, 'fields'> & { readonly fields?: Readonly<Record<string, UploadFieldOptions>> };
  readonly handler?: (files: UploadsByField, body: Record<string, unknown>) => unknown;
  readonly interceptors?: readonly NestInterceptor[];
  readonly pipes?: readonly PipeTransform[];
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** `POST /upload` with files for two storages, one in memory and one on the disk, that fail where a test says so. */
export class UnitApplication {
  private constructor(
    readonly stores: UnitStores,
    readonly running: ModuleApplication,
  ) {}

  static async start(stores: UnitStores, setup: UnitSetup = {}): Promise<UnitApplication> {
    const handler = setup.handler ?? ((files: UploadsByField) => files);
    const { fields = {}, ...options } = setup.options ?? {};

    @Controller()
    class UnitController {
      @Post('upload')
      @UseInterceptors(
        ...(setup.interceptors ?? []),
        StorageFileFieldsInterceptor([{ name: 'avatar', maxCount: 1 }, { name: 'documents' }, { name: 'disk' }], {
          key: (incoming) => incoming.originalname,
          ...options,
          fields: { ...fields, disk: { ...fields['disk'], storage: 'disk' } },
        }),
      )
      upload(
        @UploadedFiles(...(setup.pipes ?? [])) files: UploadsByField,
        @Body() body: Record<string, unknown>,
      ): unknown {
        return handler(files, body);
      }
    }
    const root: Type = class AppModule {};
    const storages = { memory: stores.memory, disk: stores.disk };
    Module({ imports: [StorageModule.forRoot({ default: 'memory', storages })], controllers: [UnitController] })(root);
    return new UnitApplication(stores, await ModuleApplication.start(root));
  }

  post(...parts: readonly Part[]): Promise<Answer> {
    return this.running.post('/upload', ...parts);
  }

  close(): Promise<void> {
    return this.running.close();
  }
}

/** The storages of a {@link UnitApplication}, and all that can be seen of them from outside. */
export class UnitStores {
  readonly watched = new WatchedStorage();
  readonly memory = new FaultyStorage(this.watched);
  readonly disk: FaultyStorage;

  private constructor(
    readonly root: string,
    readonly plainDisk: FileSystemStorage,
  ) {
    this.disk = new FaultyStorage(plainDisk);
  }

  static async create(): Promise<UnitStores> {
    const root = await mkdtemp(join(tmpdir(), 'upload-unit-'));
    const stores = new UnitStores(root, new FileSystemStorage({ root, durability: 'fast' }));
    for (const storage of [stores.watched, stores.plainDisk]) {
      await storage.put('old/attributes.txt', 'old bytes', { metadata: { owner: 'ada' }, cacheControl: 'no-store' });
      await storage.put('old/plain', Buffer.alloc(100_000, 3));
    }
    return stores;
  }

  /** Objects with their bytes and attributes, what is staged, and every file in the root. */
  async state(): Promise<unknown> {
    return {
      memory: await objectsOf(this.watched),
      disk: await objectsOf(this.plainDisk),
      staged: this.watched.staged + this.watched.staging,
      files: (await filesBelow(this.root)).sort(),
    };
  }

  /** Resolves when the state is this one: what is removed after an answer is looked for until it is gone. */
  async untilState(expected: unknown): Promise<void> {
    const wanted = JSON.stringify(expected);
    while (JSON.stringify(await this.state()) !== wanted) await new Promise((resolve) => setImmediate(resolve));
  }

  async remove(): Promise<void> {
    this.memory.clearFaults();
    this.disk.clearFaults();
    await this.plainDisk.close();
    await rm(this.root, { recursive: true });
  }
}

async function objectsOf(storage: Storage): Promise<unknown[]> {
  const objects: unknown[] = [];
  for await (const { key } of storage.list()) {
    objects.push([await storage.info(key), sha256(await storage.getBytes(key))]);
  }
  return objects;
}

/** But for the record that the storage's process is alive. */
async function filesBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.startsWith(join('.storages', 'procs')));
}
