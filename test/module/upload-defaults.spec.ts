import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { MemoryStorage, StorageModule, UPLOAD_DEFAULTS, type UploadDefaults } from 'nestjs-storages';
import { UploadDefaultsHolder } from '../../lib/module/upload-defaults-holder.js';

const upload = { limits: { fileSize: 7 } } satisfies UploadDefaults;
const sync = (name: string, defaults?: UploadDefaults): ReturnType<typeof StorageModule.forRoot> =>
  StorageModule.forRoot({ storages: { [name]: new MemoryStorage() }, upload: defaults });
const async = (name: string, defaults?: UploadDefaults): ReturnType<typeof StorageModule.forRootAsync> =>
  StorageModule.forRootAsync({
    names: [name],
    useFactory: () => Promise.resolve({ storages: { [name]: new MemoryStorage() }, upload: defaults }),
  });

it.each([
  ['nobody gives any', [sync('a'), async('b')], {}],
  ['forRoot gives them', [sync('a'), sync('b', upload)], upload],
  ['forRoot gives them beside forRootAsync', [async('a'), sync('b', upload)], upload],
  ['the factory of forRootAsync gives them', [sync('a'), async('b', upload)], upload],
])('upload defaults are the same everywhere when %s', async (_, imports, expected) => {
  const app = await Test.createTestingModule({ imports }).compile();
  for (const defaults of app.get<UploadDefaults[]>(UPLOAD_DEFAULTS, { each: true })) {
    expect(defaults).toEqual(expected);
  }
  await app.close();
});

it.each([
  ['forRoot', [sync('a', upload), sync('b', upload)]],
  ['forRoot and forRootAsync', [sync('a', upload), async('b', upload)]],
])('upload defaults that are given twice, by %s, fail the start', async (_, imports) => {
  await expect(Test.createTestingModule({ imports }).compile()).rejects.toThrow(
    "'upload' is given in two registrations of the StorageModule",
  );
});

it('upload defaults that are known beforehand are complete for the first who asks', () => {
  const none = { names: ['a'], exceptionFilter: true };
  expect(new UploadDefaultsHolder([none, { ...none, upload }]).defaults).toEqual(upload);
});
