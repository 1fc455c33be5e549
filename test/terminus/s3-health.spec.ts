import { expect, it } from '@jest/globals';
import type { Storage } from 'nestjs-storages';
import { onS3 } from '../s3/on-s3.js';
import { keysOf, startHealth } from './health-application.js';

await onS3('the health of a bucket', (bucket) => {
  async function check(storage: Storage, mode: 'write' | 'read'): Promise<unknown> {
    const { app, health } = await startHealth({ media: storage });
    try {
      return await health.check('media', { mode, timeout: 20_000 });
    } finally {
      await app.close();
    }
  }

  it.each(['write', 'read'] as const)('is up, told by a check that may %s, which leaves nothing', async (mode) => {
    const up = { status: 'up', mode, responseTime: expect.any(Number) as unknown };
    expect(await check(bucket.storage(), mode)).toEqual({ media: up });
    expect(await keysOf(bucket.storage())).toEqual([]);
  });

  it.each(['write', 'read'] as const)('that is not there is down, told by a check that may %s', async (mode) => {
    const { media } = (await check(bucket.storage({ bucket: 'there-is-none' }), mode)) as Record<string, object>;
    expect(media).toEqual({
      status: 'down',
      mode,
      responseTime: expect.any(Number) as unknown,
      code: expect.any(String) as unknown,
    });
  });
});
