import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidKeyError, MemoryStorage, sanitizeKey } from 'nestjs-storages';
import { DownloadApplication } from './download-application.js';

function isKey(text: string): boolean {
  try {
    return sanitizeKey(text) === text;
  } catch (error) {
    if (error instanceof InvalidKeyError) return false;
    throw error;
  }
}

describe('A file of any key', () => {
  it('is answered with its bytes, under a name that can be sent', async () => {
    await using app = await DownloadApplication.start(new MemoryStorage());
    const key = fc
      .oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.string({ unit: 'grapheme', maxLength: 30 }))
      .filter(isKey);
    await fc.assert(
      fc.asyncProperty(key, async (name) => {
        await app.storage.put(name, `of ${name}`);
        const { status, headers, body } = await app.get(name);
        expect([status, String(body)]).toEqual([200, `of ${name}`]);
        // what is blank is no name for a file
        const isNamed = /[^\s\p{Cc}]/u.test(name.slice(name.lastIndexOf('/') + 1));
        expect(headers['content-disposition']).toMatch(isNamed ? /^attachment; filename/ : /^attachment$/);
        await app.storage.delete(name);
        expect((await app.get(name)).status).toBe(404);
      }),
      { numRuns: 150, examples: [[' '], ['a/\u00a0'], ['a/ b']] },
    );
  });
});
