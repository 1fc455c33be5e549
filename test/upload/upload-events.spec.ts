import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConflictException, Controller, Injectable, Module, Post, Put, UseInterceptors } from '@nestjs/common';
import {
  AnyStorageFilesInterceptor,
  MemoryStorage,
  OnStorageEvent,
  StorageBodyInterceptor,
  StorageModule,
  type StorageEvent,
} from 'nestjs-storages';
import { file } from './form.js';
import { ModuleApplication } from './module-application.js';

const heard: string[] = [];
let fails = false;
/** What the handler finds that the listeners have been told. */
let toldBefore: string[] = [];

function handle(): string {
  toldBefore = [...heard];
  if (fails) throw new ConflictException();
  return 'stored';
}

@Injectable()
class Listener {
  @OnStorageEvent('files', ['committed', 'deleted'])
  behind({ type, key, ...rest }: StorageEvent<'committed' | 'deleted'>): void {
    heard.push(`files ${type} ${key}${'file' in rest ? ` of ${rest.file.size}` : ''}`);
  }

  @OnStorageEvent('avatars', ['committed', 'deleted'])
  view({ type, key }: StorageEvent<'committed' | 'deleted'>): void {
    heard.push(`avatars ${type} ${key}`);
  }
}

const options = { storage: 'avatars', key: ({ originalname }: { originalname: string }) => originalname };

@Controller()
class UploadController {
  @Post('create')
  @UseInterceptors(AnyStorageFilesInterceptor(options))
  create(): string {
    return handle();
  }

  @Post('replace')
  @UseInterceptors(AnyStorageFilesInterceptor({ ...options, overwrite: true }))
  replace(): string {
    return handle();
  }

  @Post('replace-first')
  @UseInterceptors(AnyStorageFilesInterceptor({ ...options, overwrite: true, commit: 'beforeHandler' }))
  replaceFirst(): string {
    return handle();
  }

  @Put('body')
  @UseInterceptors(StorageBodyInterceptor({ storage: 'files', key: () => 'body' }))
  body(): string {
    return handle();
  }
}

let storage: MemoryStorage;
let application: ModuleApplication;

beforeEach(async () => {
  heard.length = 0;
  fails = false;
  storage = new MemoryStorage();
  @Module({
    imports: [
      StorageModule.forRoot({ storages: { files: storage } }),
      StorageModule.forFeature([{ name: 'avatars', storage: 'files', prefix: 'avatars/' }]),
    ],
    controllers: [UploadController],
    providers: [Listener],
  })
  class AppModule {}
  application = await ModuleApplication.start(AppModule);
});

afterEach(() => application.close());

const ada = (data: string): ReturnType<typeof file> => file(data, 'file', 'ada');

describe('Listeners hear of an upload', () => {
  it('when it is kept, and not before its handler has succeeded, with the keys of view and storage', async () => {
    const { status } = await application.post('/create', ada('x'), file('yy', 'file', 'bob'));
    // which waits for them
    await application.close();
    expect(status).toBe(201);
    expect(toldBefore).toEqual([]);
    expect(heard).toEqual([
      'files committed avatars/ada of 1',
      'avatars committed ada',
      'files committed avatars/bob of 2',
      'avatars committed bob',
    ]);
  });

  it('not at all when its handler fails: neither of the commit nor of the removal', async () => {
    fails = true;
    const { status } = await application.post('/create', ada('x'));
    await application.close();
    expect(status).toBe(409);
    expect(storage.name).toBe('files');
    expect(heard).toEqual([]);
  });

  it('not at all when it replaces after its handler, which fails', async () => {
    await application.post('/replace', ada('old'));
    fails = true;
    const { status } = await application.post('/replace', ada('new'));
    await application.close();
    expect(status).toBe(409);
    expect(heard).toEqual(['files committed avatars/ada of 3', 'avatars committed ada']);
  });

  it('as a deletion, when it has replaced a file before its handler, which fails: nothing brings the old one back', async () => {
    await application.post('/replace', ada('old'));
    fails = true;
    await application.post('/replace-first', ada('new'));
    await application.close();
    expect(heard).toEqual([
      'files committed avatars/ada of 3',
      'avatars committed ada',
      'files deleted avatars/ada',
      'avatars deleted ada',
    ]);
  });

  it('of a raw body too', async () => {
    const client = await application.connect();
    client.request('PUT', '/body', { 'Content-Type': 'image/png', 'Content-Length': '3' });
    client.socket.write('abc');
    const { status } = await client.answer();
    client.destroy();
    await application.close();
    expect(status).toBe(200);
    expect(heard).toEqual(['files committed body of 3']);
  });
});
