import 'reflect-metadata';
import type { Readable } from 'node:stream';
import { Controller, Module, Post, UseInterceptors } from '@nestjs/common';
import {
  AnyStorageFilesInterceptor,
  FileSystemStorage,
  StorageModule,
  type ResolvedPutOptions,
  type StagedBytes,
} from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { ModuleApplication } from '../module-application.js';

/** Where the process is killed: at this commit of its one request, counted from 1. */
export interface KilledServerSetup {
  readonly backend: 'filesystem' | 'sqlite';
  readonly path: string;
  readonly commit: number;
  /** `before` it is begun, as soon as it has been begun, or when it is `done`. */
  readonly moment: 'before' | 'begun' | 'done';
  /** `own`: committed one after the other. `fresh`: random ones, committed several at once. */
  readonly keys: 'own' | 'fresh';
  readonly overwrite: boolean;
}

// A server in a process of its own that kills itself while it commits the files of a request.
const { backend, path, commit, moment, keys, overwrite } = JSON.parse(process.argv[2] ?? '{}') as KilledServerSetup;
let begun = 0;
let done = 0;

function kill(): void {
  process.kill(process.pid, 'SIGKILL');
}

function killing(staged: StagedBytes): StagedBytes {
  return {
    size: staged.size,
    abort: () => staged.abort(),
    commit: async () => {
      const number = ++begun;
      // the one before has ended so soon that this one would begin before the process is killed
      if (moment === 'begun' && number > commit) await new Promise(() => undefined);
      if (moment === 'before' && number === commit) kill();
      const committing = staged.commit();
      if (moment === 'begun' && number === commit) setImmediate(kill);
      const file = await committing;
      if (moment === 'done' && ++done === commit) kill();
      return file;
    },
  };
}

class KillingFiles extends FileSystemStorage {
  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    return killing(await super._stage(key, source, options));
  }
}

class KillingDatabase extends SQLiteStorage {
  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    return killing(await super._stage(key, source, options));
  }
}

const storage =
  backend === 'filesystem'
    ? new KillingFiles({ root: path })
    : new KillingDatabase({ filename: path, inlineSize: 1024 });

@Controller()
class UploadController {
  @Post('upload')
  @UseInterceptors(
    AnyStorageFilesInterceptor({
      ...(keys === 'own' ? { key: ({ originalname }) => originalname } : undefined),
      overwrite,
      metadata: ({ originalname }) => ({ name: originalname }),
    }),
  )
  upload(): string {
    return 'stored';
  }
}

@Module({ imports: [StorageModule.forRoot({ storages: { main: storage } })], controllers: [UploadController] })
class AppModule {}

const { port } = await ModuleApplication.start(AppModule);
process.send?.({ port });
