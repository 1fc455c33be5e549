import { createHash, randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MemoryStorage } from 'nestjs-storages';
import { field, file } from './form.js';
import { UploadApplication, type UploadApplicationOptions } from './upload-application.js';

describe('StorageFileInterceptor', () => {
  let application: UploadApplication | undefined;

  async function start(setup: Partial<UploadApplicationOptions> = {}): Promise<UploadApplication> {
    application = await UploadApplication.start({ storage: new MemoryStorage(), ...setup });
    return application;
  }

  afterEach(async () => {
    await application?.close();
    application = undefined;
  });

  it('stores a file of several megabytes byte for byte, and tells the handler of it', async () => {
    const storage = new MemoryStorage();
    const app = await start({ storage });
    const data = randomBytes(5 * 1024 * 1024 + 7);
    const answer = await app.post(field('title', 'A title'), file(data, 'file', 'photo.bin'), field('after', 'too'));
    expect(answer.status).toBe(201);
    const { file: upload, body } = answer.body as { file: Record<string, unknown>; body: unknown };
    expect(body).toEqual({ title: 'A title', after: 'too' });
    expect(upload).toMatchObject({
      fieldname: 'file',
      originalname: 'photo.bin',
      encoding: '7bit',
      mimetype: 'application/octet-stream',
      contentType: 'application/octet-stream',
      size: data.length,
      storage: 'memory',
      metadata: {},
    });
    const key = String(upload['key']);
    expect(key).toMatch(/^[0-9a-f-]{36}$/);
    const info = await storage.info(key);
    expect(upload).toMatchObject({ etag: info.etag, lastModified: info.lastModified.toISOString() });
    const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    expect(hash(await storage.getBytes(key))).toBe(hash(data));
  });
});
