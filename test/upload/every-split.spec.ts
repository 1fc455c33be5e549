import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BOUNDARY, field, file, form, type Part } from './form.js';
import { UploadApplication } from './upload-application.js';
import { WatchedStorage } from './watched-storage.js';

/** A small generator of numbers that a seed repeats (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

describe('A form, however its bytes come', () => {
  let storage: WatchedStorage;
  let application: UploadApplication;

  beforeAll(async () => {
    storage = new WatchedStorage();
    application = await UploadApplication.start({
      storage,
      options: { key: () => 'key', limits: { fileSize: 5000, fieldSize: 500, parts: 5 } },
    });
  });

  afterAll(async () => {
    await application.close();
  });

  it('in two writes, split at every byte, is the same form', async () => {
    const content = `\r\n--${BOUNDARY.slice(0, -1)}\r\n--\r\n\r`;
    const body = form(field('a', 'ü\r'), file(content, 'file', 'ü.bin'), field('b', '-'));
    const client = await application.connect();
    client.socket.setNoDelay(true);
    for (let split = 0; split <= body.length; split++) {
      client.head({ 'Content-Length': String(body.length) });
      await client.send(body.subarray(0, split));
      // the server reads the first write before the second one comes
      await new Promise((resolve) => setImmediate(resolve));
      await client.send(body.subarray(split));
      const answer = await client.answer();
      expect(answer).toMatchObject({
        status: 201,
        body: { body: { a: 'ü\r', b: '-' }, file: { originalname: 'ü.bin' } },
      });
      expect((await storage.getBytes('key')).toString()).toBe(content);
      await storage.delete('key');
    }
    client.destroy();
  });

  it('changed at random is taken whole or refused whole, with an answer', async () => {
    const seed = Number(process.env['UPLOAD_SEED'] ?? 20261123);
    const random = randomNumbers(seed);
    const below = (end: number): number => Math.floor(random() * end);
    const parts = (): Part[] =>
      Array.from({ length: 1 + below(5) }, () =>
        below(2) === 0
          ? file(Buffer.alloc(below(7000), below(256)))
          : field('a'.repeat(1 + below(3)), 'v'.repeat(below(600))),
      );
    const statuses = new Set<number>();
    for (let round = 0; round < 300; round++) {
      const body = form(...parts());
      for (let change = below(4); change > 0; change--) {
        // near the beginning, where the headers are, more often than not
        body[below(below(2) === 0 ? Math.min(200, body.length) : body.length)] = '\r\n-:;"='.charCodeAt(below(7));
      }
      const answer = await application.send(body.subarray(0, below(4) === 0 ? below(body.length) : body.length));
      const where = `seed ${seed}, round ${round}`;
      statuses.add(answer.status);
      expect([where, [201, 400, 413].includes(answer.status)]).toEqual([where, true]);
      const keys = await storage.keys();
      const stored = answer.status === 201 && (answer.body as { file?: object }).file !== undefined;
      expect([where, keys]).toEqual([where, stored ? ['key'] : []]);
      expect([where, storage.staged, storage.staging]).toEqual([where, 0, 0]);
      if (stored) await storage.delete('key');
    }
    expect([...statuses].sort()).toEqual([201, 400, 413]);
  });
});
