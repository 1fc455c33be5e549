import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startService } from './running-service.js';

describe('the settings', () => {
  it('let the demonstration start, with the keys that the README tells', async () => {
    const service = await startService('express', { TENANTS_FILE: undefined });
    try {
      for (const key of ['acme-demo-key', 'globex-demo-key']) {
        expect((await service.ask('/usage', { key })).body).toMatchObject({ documents: 0 });
      }
    } finally {
      await service.stop();
    }
  });

  it.each([
    ['PORT', { PORT: 'http' }, 'PORT must be a number'],
    ['PLATFORM', { PLATFORM: 'koa' }, 'PLATFORM must be express or fastify'],
  ])('say what is wrong: %s', async (_what, env, message) => {
    await expect(startService('express', env)).rejects.toThrow(message);
  });

  const entry = { keys: ['0'.repeat(64)], fileBytes: 1, totalBytes: 1 };
  it.each<[what: string, text: string | undefined, message: string]>([
    ['is missing', undefined, 'cannot be read'],
    ['is no JSON', '{', 'is no JSON'],
    ['is a list', '[]', 'must be an object, with a tenant under each name'],
    ['has a tenant with a name that is a path', JSON.stringify({ 'a/b': entry }), '"a/b" must be of a-z, 0-9 and -'],
    [
      'has a tenant that is none',
      JSON.stringify({ a: null }),
      'a must be an object with keys, fileBytes and totalBytes',
    ],
    [
      'has a key in place of its digest',
      JSON.stringify({ a: { ...entry, keys: ['a key'] } }),
      'a: keys must be SHA-256 digests',
    ],
    ['has no limit', JSON.stringify({ a: { ...entry, totalBytes: undefined } }), 'a: totalBytes must'],
    ['has one key for two tenants', JSON.stringify({ a: entry, b: entry }), 'a and b have one key'],
  ])('say that the file of tenants %s', async (_what, text, message) => {
    const folder = await mkdtemp(join(tmpdir(), 'documents-tenants-'));
    try {
      const file = join(folder, 'tenants.json');
      if (text !== undefined) await writeFile(file, text);
      await expect(startService('express', { TENANTS_FILE: file })).rejects.toThrow(message);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
