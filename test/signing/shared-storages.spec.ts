import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from 'nestjs-storages';
import { PUBLIC, SigningApplication } from './signing-application.js';

const start = (storage: MemoryStorage, path: string): Promise<SigningApplication> =>
  SigningApplication.start({
    storages: { files: storage },
    serve: { path, secrets: [`the secret of the application of ${path}`] },
  });

describe('A storage that two applications share gives URLs', () => {
  it.each([
    ['started last', 0],
    ['started first', 1],
  ])('of the one that is left when the one that was %s has gone on', async (_, left) => {
    const storage = new MemoryStorage();
    await storage.put('a.txt', 'shared');
    const apps = [await start(storage, 'first'), await start(storage, 'second')] as const;
    await apps[1 - left]?.[Symbol.asyncDispose]();
    await using rest = apps[left] ?? apps[0];
    const url = await storage.url('a.txt');
    expect(url).toContain(`${PUBLIC}/${left === 0 ? 'first' : 'second'}/files/`);
    expect((await rest.send(url)).status).toBe(200);
  });

  it('of none when the one that signed has gone', async () => {
    const storage = new MemoryStorage();
    await using silent = await SigningApplication.start({ storages: { files: storage }, serve: false });
    await (await start(storage, 'first'))[Symbol.asyncDispose]();
    expect(silent.storage('files').capabilities.urls).toBe('none');
    expect(await storage.url('a.txt')).toBe('memory:///a.txt');
  });
});
