import {
  Body,
  Controller,
  FileTypeValidator,
  HttpStatus,
  MaxFileSizeValidator,
  Module,
  ParseFilePipe,
  ParseFilePipeBuilder,
  Post,
  UploadedFile,
  UploadedFiles,
  UseInterceptors,
  ValidationPipe,
  type PipeTransform,
} from '@nestjs/common';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsInt, IsString, Min, ValidateNested } from 'class-validator';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Storage, StorageFileInterceptor, StorageFilesInterceptor, type StoredUpload } from 'nestjs-storages';
import { field, file, type Part } from './form.js';
import { ModuleApplication } from './module-application.js';
import { UploadApplication } from './upload-application.js';
import { WatchedStorage } from './watched-storage.js';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const png = (name = 'file', type = 'image/png'): Part => file(PNG, name, 'a.png', type);

describe('The pipes of Nest after an upload', () => {
  let storage: WatchedStorage;
  let application: UploadApplication | undefined;

  beforeEach(() => {
    storage = new WatchedStorage();
  });

  afterEach(async () => {
    await application?.close();
    application = undefined;
  });

  async function statusWith(pipe: PipeTransform, ...parts: readonly Part[]): Promise<number> {
    application = await UploadApplication.start({ storage, pipes: [pipe] });
    const { status } = await application.post(...parts);
    await application.close();
    application = undefined;
    return status;
  }

  async function expectStored(count: number): Promise<void> {
    expect(await storage.keys()).toHaveLength(count);
    expect(storage.staged + storage.staging).toBe(0);
  }

  it.each([
    [PNG.length + 1, 201],
    // "less than": a file of the size itself is refused, where limits.fileSize takes it
    [PNG.length, 400],
  ])('MaxFileSizeValidator, with maxSize %i for a smaller file and one as large: %i', async (maxSize, status) => {
    const pipe = new ParseFilePipe({ validators: [new MaxFileSizeValidator({ maxSize })] });
    expect(await statusWith(pipe, png())).toBe(status);
    await expectStored(status === 201 ? 1 : 0);
  });

  it('FileTypeValidator needs a file in memory, and refuses every upload, unless it goes by the mimetype', async () => {
    const fileType = 'image/png';
    expect(await statusWith(new ParseFilePipe({ validators: [new FileTypeValidator({ fileType })] }), png())).toBe(400);
    await expectStored(0);
    for (const option of [{ fallbackToMimetype: true }, { skipMagicNumbersValidation: true }]) {
      const pipe = new ParseFilePipe({ validators: [new FileTypeValidator({ fileType, ...option })] });
      expect(await statusWith(pipe, png('file', 'text/plain'))).toBe(400);
      await expectStored(0);
      // and that is the client's word: allowedTypes looks into the bytes
      expect(await statusWith(pipe, file('no picture', 'file', 'a.png', 'image/png'))).toBe(201);
      await expectStored(1);
      for (const key of await storage.keys()) await storage.delete(key);
    }
  });

  it('ParseFilePipe refuses a request without the file, unless it is not required', async () => {
    expect(await statusWith(new ParseFilePipe(), field('a', 'b'))).toBe(400);
    expect(await statusWith(new ParseFilePipe({ fileIsRequired: false }), field('a', 'b'))).toBe(201);
    expect(await statusWith(new ParseFilePipe({ fileIsRequired: false }), png())).toBe(201);
    await expectStored(1);
  });

  it('ParseFilePipeBuilder makes the same, with its own status', async () => {
    const pipe = new ParseFilePipeBuilder()
      .addFileTypeValidator({ fileType: /^image\//, skipMagicNumbersValidation: true })
      .addMaxSizeValidator({ maxSize: 1000 })
      .build({ errorHttpStatusCode: HttpStatus.UNPROCESSABLE_ENTITY });
    expect(await statusWith(pipe, file(Buffer.alloc(1001), 'file', 'a.png', 'image/png'))).toBe(422);
    expect(await statusWith(pipe, file('a', 'file', 'a.txt', 'text/plain'))).toBe(422);
    await expectStored(0);
    expect(await statusWith(pipe, png())).toBe(201);
  });

  it('a pipe of the application may look the file up, and refuse it or give another value', async () => {
    const seen: string[] = [];
    const reads: PipeTransform = {
      transform: async ({ key }: StoredUpload) => {
        seen.push((await storage.getBytes(key)).toString());
        return { renamed: key };
      },
    };
    expect(await statusWith(reads, file('hello'))).toBe(201);
    expect(seen).toEqual(['hello']);
  });
});

class Owner {
  @IsString()
  name = '';

  @Type(() => Number)
  @IsInt()
  @Min(18)
  age = 0;
}

class AlbumDto {
  @IsString()
  title = '';

  @ValidateNested()
  @Type(() => Owner)
  owner = new Owner();

  @IsString({ each: true })
  @ArrayMaxSize(2)
  tags: string[] = [];
}

describe('A DTO beside an upload', () => {
  let storage: WatchedStorage;
  let application: ModuleApplication;
  let bodies: unknown[];

  beforeEach(async () => {
    storage = new WatchedStorage();
    bodies = [];

    @Controller()
    class AlbumController {
      @Post('one')
      @UseInterceptors(StorageFileInterceptor('file'))
      one(@UploadedFile() _upload: StoredUpload, @Body() body: AlbumDto): void {
        bodies.push(body);
      }

      @Post('many')
      @UseInterceptors(StorageFilesInterceptor('file', 3, { commit: 'afterHandler' }))
      many(
        @UploadedFiles(
          new ParseFilePipe({
            validators: [new FileTypeValidator({ fileType: 'image/png', fallbackToMimetype: true })],
          }),
        )
        _uploads: StoredUpload[],
        @Body() body: AlbumDto,
      ): void {
        bodies.push(body);
      }
    }

    @Module({ controllers: [AlbumController], providers: [{ provide: Storage, useFactory: () => storage }] })
    class AppModule {}
    application = await ModuleApplication.start(AppModule, (app) => {
      app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true }));
    });
  });

  afterEach(async () => {
    await application.close();
  });

  const good = [
    field('title', 'Summer'),
    field('owner[name]', 'Ada'),
    field('owner[age]', '36'),
    field('tags[]', 'a'),
    field('tags[]', 'b'),
    field('admin', 'true'),
    field('owner[admin]', 'true'),
  ];

  it.each(['/one', '/many'])('is validated and made of the text fields, nested ones too (%s)', async (path) => {
    expect((await application.post(path, ...good, png(), ...(path === '/many' ? [png()] : []))).status).toBe(201);
    expect(bodies).toEqual([{ title: 'Summer', owner: { name: 'Ada', age: 36 }, tags: ['a', 'b'] }]);
    expect(bodies[0]).toBeInstanceOf(AlbumDto);
    expect((bodies[0] as AlbumDto).owner).toBeInstanceOf(Owner);
    expect(await storage.keys()).toHaveLength(path === '/many' ? 2 : 1);
  });

  it.each(['/one', '/many'])('that is refused leaves nothing (%s)', async (path) => {
    for (const wrong of [field('owner[age]', '3'), field('tags[]', 'c'), field('title[x]', 'y')]) {
      const answer = await application.post(
        path,
        ...good.filter(({ name }) => name !== wrong.name || name === 'tags[]'),
        wrong,
        png(),
      );
      expect(answer.status).toBe(400);
      expect(await storage.keys()).toEqual([]);
      expect(storage.staged).toBe(0);
    }
    expect(bodies).toEqual([]);
  });
});
