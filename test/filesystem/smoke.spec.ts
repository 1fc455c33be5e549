import { describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { FileSystemStorage } from 'nestjs-storages';

describe.each(['full','fast'] as const)('smoke %s', (durability) => {
  it('works', async () => {
    const root = await mkdtemp(join(tmpdir(), 'fs-'));
    const s = new FileSystemStorage({ root, durability });
    const f = await s.put('a/b.txt', 'hello');
    expect(await s.info('a/b.txt')).toEqual(f);
    expect(String(await s.getBytes('a/b.txt'))).toBe('hello');
    const g = await s.put('a/b.txt', 'hello2', { metadata: { x: 'ü' } });
    expect(await s.info('a/b.txt')).toEqual(g);
    await s.put('a', 'conflict');
    await s.put('.storages/x', 'private');
    await s.put('l/' + 'ü'.repeat(300), 'long');
    const keys = []; for await (const f of s.list()) keys.push(f.key);
    expect(keys).toEqual(['.storages/x', 'a', 'a/b.txt', 'l/' + 'ü'.repeat(300)]);
    const c = await s.copy('a/b.txt', 'c.bin');
    expect(c.metadata).toEqual({ x: 'ü' });
    const m = await s.move('c.bin', 'd/e/f.png');
    expect(await s.info('d/e/f.png')).toEqual(m);
    expect(m.contentType).toBe('text/plain');
    const entries = []; for await (const e of s.listEntries()) entries.push(e.kind === 'file' ? e.file.key : e.prefix);
    expect(entries).toEqual(['.storages/', 'a', 'a/', 'd/', 'l/']);
    for (const k of [...keys, 'd/e/f.png']) await s.delete(k);
    await s.close();
    expect(await readdir(root)).toEqual([]);
  });
});
