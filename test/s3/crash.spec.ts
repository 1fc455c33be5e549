import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { Child } from '../filesystem/process/child.js';
import { CEPH_CONDITIONS, onS3, PART } from './on-s3.js';
import { Testimony } from './process/testimony.js';

const HERE = fileURLToPath(new URL('process/', import.meta.url));

// by hand: CRASH_ROUNDS=50
const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 3);

await onS3('kill -9', (bucket) => {
  it('of a process that uploads loses nothing that was acknowledged, and the sweep clears the rest', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const config = {
        ...bucket.server.connection,
        bucket: bucket.name,
        prefix: `round-${round}`,
        partSize: PART,
        conditions: CEPH_CONDITIONS,
      };
      const child = new Child('upload', [JSON.stringify(config)], HERE);
      expect(await child.line()).toBe('ready');
      const testimony = new Testimony();
      for (let lines = randomInt(10, 60); lines > 0; lines--) testimony.hear(await child.line());
      const moment = performance.now() + randomInt(50);
      while (performance.now() < moment) await new Promise(setImmediate);
      await child.kill();
      for await (const line of child.rest()) testimony.hear(line);

      const storage = bucket.storage({ prefix: config.prefix });
      expect(testimony.stored.size).toBeGreaterThan(0);
      expect(await storage.sweep({ olderThan: '1h' })).toEqual({ aborted: 0 });
      // what was staged is one of them
      expect((await bucket.openUploads()).length).toBeGreaterThan(0);
      // a part that was on its way may keep an upload open once more
      while ((await bucket.openUploads()).length > 0) await storage.sweep({ olderThan: 0 });
      expect(await testimony.violations(storage)).toEqual([]);
      expect(testimony.failed).toEqual(new Map());
    }
  }, 120_000);
});
