import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { MemoryStorage, StorageModule } from 'nestjs-storages';
import { PhotosController } from './photos.controller.js';

it('is described as it is', async () => {
  const testing = await Test.createTestingModule({
    imports: [StorageModule.forRoot({ storages: { photos: new MemoryStorage() } })],
    controllers: [PhotosController],
  }).compile();
  const app = testing.createNestApplication();
  await app.listen(0, '127.0.0.1');

  const { paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build());
  expect(paths['/photos']?.post?.requestBody).toMatchObject({
    content: { 'multipart/form-data': { encoding: { photo: { contentType: 'image/*' } } } },
  });
  const documented = Object.keys(paths['/photos']?.post?.responses ?? {});
  expect(documented).toEqual(expect.arrayContaining(['201', '400', '413', '415', '507']));

  const body = new FormData();
  body.append('photo', new Blob(['no picture']), 'a.png');
  const answer = await fetch(`${await app.getUrl()}/photos`, { method: 'POST', body });
  expect(documented).toContain(String(answer.status));
  expect(answer.status).toBe(415);
  await app.close();
});
