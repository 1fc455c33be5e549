import { expect, it } from '@jest/globals';
import { Controller, Post, UploadedFile, UseInterceptors } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { MemoryStorage, StorageFileInterceptor, StorageModule, type StoredUpload } from 'nestjs-storages';
import { scannedBy } from './scanner.js';

const signals: AbortSignal[] = [];

@Controller()
class LettersController {
  @Post()
  @UseInterceptors(
    StorageFileInterceptor(
      'letter',
      scannedBy({
        async isClean(bytes, { signal }) {
          signals.push(signal);
          const chunks: Uint8Array[] = [];
          for await (const chunk of bytes) chunks.push(chunk);
          return !Buffer.concat(chunks).includes('virus');
        },
      }),
    ),
  )
  take(@UploadedFile() file: StoredUpload): { size: number } {
    return { size: file.size };
  }
}

it('is given the bytes and a signal, and its verdict holds', async () => {
  const letters = new MemoryStorage();
  const module = await Test.createTestingModule({
    imports: [StorageModule.forRoot({ storages: { letters } })],
    controllers: [LettersController],
  }).compile();
  const app = module.createNestApplication();
  await app.listen(0, '127.0.0.1');
  const send = async (text: string): Promise<number> => {
    const body = new FormData();
    body.append('letter', new Blob([text]), 'a.txt');
    return (await fetch(await app.getUrl(), { method: 'POST', body })).status;
  };
  try {
    expect([await send('hello'), await send('a virus')]).toEqual([201, 422]);
    expect(signals).toEqual([expect.any(AbortSignal), expect.any(AbortSignal)]);
  } finally {
    await app.close();
  }
});
