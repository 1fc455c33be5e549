/**
 * What the types of the package have to allow. `.ci/consumers` compiles this one text beside the packed library, as an ES module and as
 * CommonJS, with every TypeScript and every way to resolve modules that the README promises. It is never run: test/smoke is.
 */
import {
  Body,
  Controller,
  Get,
  Module,
  Param,
  Post,
  UploadedFile,
  UploadedFiles,
  UseInterceptors,
} from '@nestjs/common';
import {
  BaseStorage,
  FileSystemStorage,
  InjectStorage,
  MemoryStorage,
  PreconditionFailedError,
  ReadOnlyStorage,
  RetryingStorage,
  ScopedStorage,
  Storage,
  StorageError,
  StorageFileFieldsInterceptor,
  StorageFileInterceptor,
  StorageModule,
  StorageRegistry,
  archive,
  defineCapabilities,
  freezeStoredFile,
  getStorageToken,
  isStorage,
  storedFile,
  type OpenedFile,
  type ResolvedDeleteOptions,
  type ResolvedGetOptions,
  type ResolvedListOptions,
  type ResolvedPutOptions,
  type StorageErrorCode,
  type StorageOptions,
  type StorageOptionsFactory,
  type StoredFile,
  type StoredFileAnswer,
  type StoredUpload,
} from 'nestjs-storages';
import { S3Storage, type S3StorageConfig } from 'nestjs-storages/s3';
import { SQLiteStorage, type SQLiteStorageConfig } from 'nestjs-storages/sqlite';
import { FakeStorage, FaultyStorage, runConformance, type ConformanceReport } from 'nestjs-storages/testing';
import type { Readable } from 'node:stream';

/** As a custom backend is written: every hook that has to be, with the types that the package gives it. */
export class OwnStorage extends BaseStorage {
  override readonly capabilities = defineCapabilities({ persistent: false });
  readonly #files = new Map<string, StoredFile>();

  protected _put(key: string, source: Readable, options: ResolvedPutOptions): Promise<StoredFile> {
    source.resume();
    const file = freezeStoredFile({ ...options, key, size: 0, etag: 'e', lastModified: new Date(0) });
    this.#files.set(key, file);
    return Promise.resolve(file);
  }

  protected async _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    const file = await this._info(key);
    options.signal?.throwIfAborted();
    throw new StorageError(`${file.key} has no body`, { key });
  }

  protected _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
    if (!options.force) this.#files.delete(key);
    return Promise.resolve();
  }

  protected async *_list(prefix: string, options: ResolvedListOptions): AsyncIterable<StoredFile> {
    for (const key of this.#files.keys())
      if (key.startsWith(prefix) && key > (options.startAfter ?? '')) yield await this._info(key);
  }

  protected _info(key: string): Promise<StoredFile> {
    const file = this.#files.get(key);
    return file === undefined ? Promise.reject(new Error(key)) : Promise.resolve(file);
  }

  protected _url(key: string): Promise<string> {
    return Promise.resolve(`own:///${key}`);
  }
}

@Controller('files')
export class FilesController {
  constructor(
    @InjectStorage() private readonly files: Storage,
    @InjectStorage('drafts') private readonly drafts: Storage,
    private readonly registry: StorageRegistry,
  ) {}

  @Post()
  @UseInterceptors(StorageFileInterceptor('file', { limits: { fileSize: 1024 }, allowedTypes: ['image/*'] }))
  one(@UploadedFile() file: StoredUpload): { key: string; etag: string } {
    return { key: file.key, etag: file.etag };
  }

  @Post('several')
  @UseInterceptors(StorageFileFieldsInterceptor([{ name: 'a', maxCount: 1 }, { name: 'b' }], { storage: 'drafts' }))
  several(@UploadedFiles() files: { a?: StoredUpload[]; b?: StoredUpload[] }, @Body() body: object): number {
    return (files.a?.length ?? 0) + (files.b?.length ?? 0) + Object.keys(body).length;
  }

  @Get(':key')
  read(@Param('key') key: string): StoredFileAnswer {
    return storedFile(this.registry.get('uploads'), key, { disposition: 'attachment' });
  }

  async everyMethod(): Promise<unknown[]> {
    const file: StoredFile = await this.files.put('a', 'text', { metadata: { a: 'b' }, ifNoneMatch: '*' });
    const stream = await this.files.get('a', { range: { offset: 0, length: 1 } });
    const bytes: Buffer = await this.files.getBytes('a');
    await using staged = await this.files.stage('b', bytes);
    for await (const entry of this.files.listEntries('')) if (entry.kind === 'file') return [entry.file];
    const upload = await this.files.uploadUrl('a', { expiresIn: '15m', maxSize: 10 });
    return [
      file,
      stream.range?.offset,
      upload.method === 'POST' ? upload.fields : upload.headers,
      await staged.commit(),
    ];
  }

  zip(): unknown {
    return archive(this.drafts, 'prefix/');
  }
}

export class Options implements StorageOptionsFactory {
  createStorageOptions(): StorageOptions {
    return { storages: { uploads: new MemoryStorage() } };
  }
}

export function storages(s3: S3StorageConfig, sqlite: SQLiteStorageConfig): Storage[] {
  const files = new FileSystemStorage({ root: '/nowhere', durability: 'fast' });
  return [
    new S3Storage(s3),
    new SQLiteStorage(sqlite),
    new ReadOnlyStorage(files),
    new RetryingStorage(files),
    new ScopedStorage(files, 'a/'),
    new FakeStorage(),
    new FaultyStorage(files),
    new OwnStorage(),
  ];
}

@Module({
  imports: [
    StorageModule.forRoot({ default: 'uploads', storages: { uploads: new MemoryStorage({ maxBytes: 1 }) } }),
    StorageModule.forRootAsync({
      names: ['drafts'],
      useFactory: () => ({ storages: { drafts: new MemoryStorage() } }),
    }),
    StorageModule.forFeature([{ name: 'avatars', storage: 'uploads', prefix: 'avatars/' }]),
  ],
  providers: [
    { provide: 'count', inject: [getStorageToken('avatars')], useFactory: (storage: unknown) => isStorage(storage) },
  ],
  controllers: [FilesController],
})
export class AppModule {}

export function codeOf(error: unknown): StorageErrorCode | undefined {
  if (error instanceof PreconditionFailedError) return error.code;
  return error instanceof StorageError ? error.code : undefined;
}

export function prove(storage: Storage): Promise<ConformanceReport> {
  return runConformance(
    {
      name: 'own',
      capabilities: storage.capabilities,
      create: () => Promise.resolve({ storage, close: () => storage.close() }),
    },
    {},
  );
}
