import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FileSystemStorage, MemoryStorage, type Storage } from 'nestjs-storages';
import { increment, list, publishBoth, read, remove, store } from './tasks.js';

describe.each(['memory', 'filesystem'])("the README's tasks on %s", (backend) => {
  let folder: string;
  let storage: Storage;

  beforeEach(async () => {
    jest.spyOn(console, 'log').mockImplementation(() => undefined);
    folder = await mkdtemp(join(tmpdir(), 'readme-'));
    storage = backend === 'memory' ? new MemoryStorage() : new FileSystemStorage({ root: join(folder, 'root') });
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await storage.close();
    await rm(folder, { recursive: true });
  });

  it('puts a file with its attributes, once', async () => {
    const path = join(folder, 'q3.pdf');
    await writeFile(path, '%PDF-1.7');
    await store(storage, path);
    expect(await storage.info('reports/2026/q3.pdf')).toMatchObject({
      size: 8,
      contentType: 'application/pdf',
      metadata: { author: 'Ada Lovelace' },
    });
    await expect(store(storage, path)).rejects.toMatchObject({ code: 'FILE_EXISTS' });
  });

  it('reads a file whole and in part', async () => {
    await storage.put('notes/today.txt', 'buy milk');
    await storage.put('videos/talk.mp4', Buffer.alloc(5000, 'v'));
    const target = new PassThrough();
    await read(storage, target);
    expect(target.readableLength).toBe(1024);
  });

  it('lists files and folders', async () => {
    await storage.put('reports/2026/q3.pdf', 'q3');
    await storage.put('reports/index.html', 'i');
    expect(await list(storage)).toEqual(['reports/2026/', 'reports/index.html']);
    expect(console.log).toHaveBeenCalledWith('reports/2026/q3.pdf', 2, 'application/pdf');
  });

  it('deletes files one by one and by prefix', async () => {
    await storage.put('notes/today.txt', 'n');
    await storage.put('reports/2026/q3.pdf', 'q3');
    await storage.put('reports/2027/q3.pdf', 'q3');
    await remove(storage);
    expect(await storage.exists('notes/today.txt')).toBe(false);
    expect(await storage.exists('reports/2026/q3.pdf')).toBe(false);
    expect(await storage.exists('reports/2027/q3.pdf')).toBe(true);
  });

  it('counts without losing an increment', async () => {
    await storage.put('counter', '0');
    await Promise.all(Array.from({ length: 8 }, () => increment(storage, 'counter')));
    expect((await storage.getBytes('counter')).toString()).toBe('8');
  });

  it('publishes two files, or neither', async () => {
    await publishBoth(storage, Buffer.from('video'), Buffer.from('text'));
    expect(await storage.exists('talk.mp4')).toBe(true);
    expect(await storage.exists('talk.vtt')).toBe(true);
  });
});
