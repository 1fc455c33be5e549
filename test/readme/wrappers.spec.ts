import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { getStorageToken, type Storage } from 'nestjs-storages';

it('wraps storages in one line each', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wrappers-'));
  const before = process.cwd();
  process.chdir(folder);
  try {
    const { WrappedModule } = await import('./wrappers.js');
    const app = await Test.createTestingModule({ imports: [WrappedModule] }).compile();
    await app.init();
    const [archive, media] = ['archive', 'media'].map((name) => app.get<Storage>(getStorageToken(name)));
    await media?.put('a.txt', 'a');
    expect((await media?.getBytes('a.txt'))?.toString()).toBe('a');
    await expect(archive?.put('a.txt', 'a')).rejects.toMatchObject({
      code: 'UNSUPPORTED_OPERATION',
      storage: 'archive',
    });
    await app.close();
  } finally {
    process.chdir(before);
    await rm(folder, { recursive: true });
  }
});
