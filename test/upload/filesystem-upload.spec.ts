import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConflictException } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileSystemStorage, type StoredUpload } from 'nestjs-storages';
import { until } from '../until.js';
import { file, partHead } from './form.js';
import { addedDescriptors, ownDescriptors } from './own-descriptors.js';
import { UploadApplication, type UploadApplicationOptions } from './upload-application.js';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('An upload to the disk', () => {
  let root: string;
  let storage: FileSystemStorage;
  let application: UploadApplication;

  async function start(setup: Partial<UploadApplicationOptions> = {}): Promise<void> {
    application = await UploadApplication.start({ storage, handler: (upload) => upload, ...setup });
  }

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'filesystem-upload-'));
    storage = new FileSystemStorage({ root });
  });

  afterEach(async () => {
    await application.close();
    await storage.close();
    await rm(root, { recursive: true });
  });

  /** Files of the root, but for the record that the storage's process is alive. */
  async function filesOnDisk(): Promise<string[]> {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .filter((path) => !path.startsWith(join('.storages', 'procs')));
  }

  /** Resolves when no connection is open; what is removed after an answer is looked for until it is gone. */
  async function untilOnDisk(expected: readonly string[]): Promise<void> {
    for (;;) {
      const open = await new Promise<number>((resolve, reject) => {
        application.server.getConnections((error, count) => {
          if (error === null) resolve(count);
          else reject(error);
        });
      });
      const files = await filesOnDisk();
      if (open === 0 && files.length === expected.length && files.every((name) => expected.includes(name))) return;
    }
  }

  it('lies there under its own key, byte for byte', async () => {
    await start();
    const data = randomBytes(6 * 1024 * 1024 + 1);
    const answer = await application.post(file(data, 'file', 'video.mp4', 'video/mp4'));
    expect(answer.status).toBe(201);
    const { key, etag, lastModified } = answer.body as StoredUpload;
    expect(sha256(await readFile(join(root, key)))).toBe(sha256(data));
    const info = await storage.info(key);
    expect([etag, lastModified]).toEqual([info.etag, info.lastModified.toISOString()]);
    await untilOnDisk([key]);
  });

  it('torn off 20 times in the middle leaves no object, no temporary and no descriptor', async () => {
    await start({ options: { key: () => 'only' } });
    await application.post(file('x'));
    await storage.delete('only');
    await untilOnDisk([]);
    const before = ownDescriptors(root);
    for (let round = 0; round < 20; round++) {
      const client = await application.connect();
      client.head({ 'Content-Length': String(50 * 1024 * 1024) });
      await client.send(Buffer.concat([partHead({ name: 'file', filename: 'a' }), Buffer.alloc(round * 150_000)]));
      if (round % 2 === 0) client.destroy();
      else client.socket.resetAndDestroy();
    }
    await untilOnDisk([]);
    await until('no descriptor is left', () => addedDescriptors(before, ownDescriptors(root)).length === 0);
    expect((await application.post(file('good'))).status).toBe(201);
    await untilOnDisk(['only']);
  });

  it.each([10, 500_000])('of %i bytes is gone when the handler throws', async (size) => {
    await start({
      handler: () => {
        throw new ConflictException();
      },
    });
    expect((await application.post(file(randomBytes(size)))).status).toBe(409);
    await untilOnDisk([]);
  });

  it('over the limit is refused with nothing left', async () => {
    await start({ options: { limits: { fileSize: 1_000_000 } } });
    expect((await application.post(file(Buffer.alloc(1_000_001)))).status).toBe(413);
    await untilOnDisk([]);
  });

  it('that would replace a file leaves the old one when the handler throws, with its attributes', async () => {
    await storage.put('a.txt', 'old', { metadata: { owner: 'ada' } });
    const before = await storage.info('a.txt');
    const disk = await filesOnDisk();
    await start({
      options: { key: () => 'a.txt', overwrite: true },
      handler: () => {
        throw new ConflictException();
      },
    });
    expect((await application.post(file(randomBytes(500_000)))).status).toBe(409);
    expect(await storage.info('a.txt')).toEqual(before);
    await untilOnDisk(disk);
  });

  it('of one key 20 times at once is created once', async () => {
    await start({ options: { key: () => 'one' } });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => application.post(file(Buffer.alloc(200_000, index)))),
    );
    expect(answers.map(({ status }) => status).filter((status) => status === 201)).toHaveLength(1);
    const winner = answers.findIndex(({ status }) => status === 201);
    expect((await storage.getBytes('one')).equals(Buffer.alloc(200_000, winner))).toBe(true);
    await untilOnDisk(['one']);
  });
});
