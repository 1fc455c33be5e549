import { PassThrough, Readable } from 'node:stream';
import { expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MemoryStorage, StorageModule } from 'nestjs-storages';
import { PhotosController } from './migrating.controller.js';
import { asWithFlydrive, asWithNestStorage, copyAll, uploadsInBucket } from './migrating.js';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

it('takes the place of FileInterceptor, diskStorage and fileFilter', async () => {
  const photos = new MemoryStorage();

  @Module({ imports: [StorageModule.forRoot({ storages: { photos } })], controllers: [PhotosController] })
  class AppModule {}

  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  try {
    const send = async (bytes: Buffer): Promise<Response> => {
      const form = new FormData();
      form.append('photo', new Blob([bytes], { type: 'image/png' }), 'ada.png');
      return fetch(`${await app.getUrl()}/photos`, { method: 'POST', body: form });
    };
    expect(await (await send(PNG)).json()).toEqual({
      key: expect.stringMatching(/^\d{4}\/[0-9a-f-]{36}\.png$/),
      name: 'ada.png',
      firstByte: 0x89,
    });
    expect((await send(Buffer.from('#!/bin/sh'))).status).toBe(415);
  } finally {
    await app.close();
  }
});

it('takes the place of multer-s3 with a bucket of a storage', () => {
  expect(uploadsInBucket({ bucket: 'photos' }).module).toBe(StorageModule);
});

it("has a method for each of flydrive's", async () => {
  const disk = new MemoryStorage();
  const target = new PassThrough();
  await asWithFlydrive(disk, Readable.from([Buffer.from('video')]), target);
  expect((await target.toArray()).join('')).toBe('video');
  expect(JSON.parse((await disk.getBytes('report.json')).toString())).toMatchObject({
    text: 'text',
    size: 5,
    contentType: 'video/mp4',
    keys: ['notes/a.txt', 'notes/c.txt'],
  });
});

it('has ranges and pages', async () => {
  const disk = new MemoryStorage();
  await asWithNestStorage(disk, { start: 6, end: 10 });
  expect((await disk.getBytes('b.txt')).toString()).toBe('world a.txt');
});

it('copies one storage into another, and goes on where it was cut short', async () => {
  const [from, to] = [new MemoryStorage(), new MemoryStorage()];
  await from.put('a', 'a', { metadata: { by: 'ada' }, contentType: 'text/csv' });
  await from.put('b', 'b');
  await to.put('b', 'changed since');
  expect(await copyAll(from, to)).toBe(1);
  expect(await to.info('a')).toMatchObject({ contentType: 'text/csv', metadata: { by: 'ada' } });
  expect((await to.getBytes('b')).toString()).toBe('changed since');
});
