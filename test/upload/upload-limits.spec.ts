import { afterEach, describe, expect, it } from '@jest/globals';
import { AnyStorageFilesInterceptor, StorageFilesInterceptor, type UploadOptions } from 'nestjs-storages';
import { BOUNDARY, field, file, form, FORM_TYPE, type Part } from './form.js';
import { RoutesApplication } from './routes-application.js';
import { WatchedStorage } from './watched-storage.js';

describe('Limits', () => {
  let application: RoutesApplication;
  let storage: WatchedStorage;

  afterEach(async () => {
    await application.close();
  });

  async function start(options: UploadOptions, count?: number): Promise<void> {
    storage = new WatchedStorage();
    application = await RoutesApplication.start({
      routes: {
        upload:
          count === undefined ? AnyStorageFilesInterceptor(options) : StorageFilesInterceptor('a', count, options),
      },
      storages: { main: storage },
      handler: () => ({}),
    });
  }

  const sized = (size: number, name = 'a'): Part => file(Buffer.alloc(size, 'x'), name);
  const text = (size: number, name = 'f'): Part => field(name, 'x'.repeat(size));
  const many = (count: number, part: Part): Part[] => Array.from({ length: count }, () => part);

  it.each<[limit: string, limits: UploadOptions['limits'], met: Part[], over: Part[], status: number, code: string]>([
    ['fileSize', { fileSize: 0 }, [sized(0)], [sized(1)], 413, 'LIMIT_FILE_SIZE'],
    ['fileSize', { fileSize: 5 }, [sized(5), sized(5)], [sized(5), sized(6)], 413, 'LIMIT_FILE_SIZE'],
    ['fileSize', { fileSize: 65_536 }, [sized(65_536)], [sized(65_537)], 413, 'LIMIT_FILE_SIZE'],
    ['fileSize', { fileSize: 1_000_000 }, [sized(1_000_000)], [sized(1_000_001)], 413, 'LIMIT_FILE_SIZE'],
    ['minFileSize', { minFileSize: 5 }, [sized(5)], [sized(5), sized(4)], 400, 'FILE_TOO_SMALL'],
    ['minFileSize', { minFileSize: 100_000 }, [sized(100_000)], [sized(99_999)], 400, 'FILE_TOO_SMALL'],
    ['totalSize', { totalSize: 10 }, [sized(4), sized(6, 'b')], [sized(4), sized(7, 'b')], 413, 'LIMIT_TOTAL_SIZE'],
    [
      'totalSize',
      { totalSize: 200_000 },
      many(2, sized(100_000)),
      [...many(2, sized(100_000)), sized(1)],
      413,
      'LIMIT_TOTAL_SIZE',
    ],
    ['files', { files: 2 }, [...many(2, sized(1)), text(1)], many(3, sized(1)), 400, 'LIMIT_FILE_COUNT'],
    ['files', { files: 0 }, [text(1)], [sized(1)], 400, 'LIMIT_FILE_COUNT'],
    ['fields', { fields: 2 }, [...many(2, text(1)), sized(1)], many(3, text(1)), 400, 'LIMIT_FIELD_COUNT'],
    ['fields', { fields: 0 }, [sized(1)], [text(1)], 400, 'LIMIT_FIELD_COUNT'],
    [
      'parts',
      { parts: 3 },
      [...many(2, text(1)), sized(1)],
      [...many(2, text(1)), ...many(2, sized(1))],
      400,
      'LIMIT_PART_COUNT',
    ],
    ['parts', {}, many(1000, text(1)), many(1001, text(1)), 400, 'LIMIT_PART_COUNT'],
    ['fieldSize', { fieldSize: 5 }, [text(5)], [text(6)], 400, 'LIMIT_FIELD_VALUE'],
    ['fieldSize', { fieldSize: 5 }, [field('f', 'üüx')], [field('f', 'üüü')], 400, 'LIMIT_FIELD_VALUE'],
    ['fieldSize', {}, [text(1024 * 1024)], [text(1024 * 1024 + 1)], 400, 'LIMIT_FIELD_VALUE'],
    ['fieldsSize', { fieldsSize: 10 }, [text(4), text(6)], [text(4), text(6), text(1)], 413, 'LIMIT_FIELDS_SIZE'],
    ['fieldsSize', {}, many(8, text(1024 * 1024)), [...many(8, text(1024 * 1024)), text(1)], 413, 'LIMIT_FIELDS_SIZE'],
    [
      'fieldNameSize',
      { fieldNameSize: 5 },
      [text(1, 'üüx'), sized(1, '12345')],
      [text(1, 'üüü')],
      400,
      'LIMIT_FIELD_KEY',
    ],
    ['fieldNameSize', { fieldNameSize: 5 }, [sized(1, '12345')], [sized(1, '123456')], 400, 'LIMIT_FIELD_KEY'],
    ['fieldNameSize', {}, [text(1, 'n'.repeat(255))], [text(1, 'n'.repeat(256))], 400, 'LIMIT_FIELD_KEY'],
    [
      'fieldNestingDepth',
      { fieldNestingDepth: 2 },
      [text(1, 'a[b][c]')],
      [text(1, 'a[b][c][d]')],
      400,
      'LIMIT_FIELD_NESTING',
    ],
    [
      'fieldArrayIndexLimit',
      { fieldArrayIndexLimit: 2 },
      [text(1, 'a[2]')],
      [text(1, 'a[3]')],
      400,
      'LIMIT_FIELD_ARRAY_INDEX',
    ],
  ])(
    '%s of %j takes what meets it, and refuses one more with nothing left',
    async (_limit, limits, met, over, status, code) => {
      await start({ limits });
      expect((await application.post('upload', ...over)).body).toMatchObject({ statusCode: status, code });
      await storage.untilNothing();
      expect((await application.post('upload', ...met)).status).toBe(200);
      await application.close();
      await start({ limits: () => Promise.resolve(limits as object) });
      expect((await application.post('upload', ...met)).status).toBe(200);
      expect((await application.post('upload', ...over)).body).toMatchObject({ statusCode: status, code });
    },
  );

  it('headerPairs takes as many lines of a header, and no more', async () => {
    await start({ limits: { headerPairs: 2 } });
    const send = async (lines: string): Promise<number> => {
      const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n${lines}\r\n`;
      const answer = await application.send('upload', `${head}x\r\n--${BOUNDARY}--\r\n`, { 'Content-Type': FORM_TYPE });
      return answer.status;
    };
    expect(await send('X-A: b\r\n')).toBe(200);
    expect(await send('X-A: b\r\nX-B: c\r\n')).toBe(400);
    expect(await send('X-A: b\r\n c\r\n')).toBe(400);
  });

  it('of Infinity are lifted', async () => {
    await start({ limits: { parts: Infinity, fieldSize: Infinity, fieldNameSize: Infinity } });
    expect((await application.post('upload', ...many(1500, text(1, 'n'.repeat(300))))).status).toBe(200);
    expect((await application.post('upload', text(9 * 1024 * 1024))).status).toBe(200);
  });

  it('count a file that a filter leaves out, as multer does, however the body is cut', async () => {
    const body = form(file('one', 'a', 'bad'), file('two', 'a', 'good'));
    for (const cut of [body.length, body.indexOf('Content-Disposition', 100)]) {
      await start({ filter: ({ originalname }) => originalname === 'good' }, 1);
      const client = await application.connect();
      client.head({ 'Content-Length': String(body.length), 'Content-Type': FORM_TYPE });
      await client.send(body.subarray(0, cut));
      // what has come of it has been decided by the time the rest comes
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      await client.send(body.subarray(cut));
      expect((await client.answer()).body).toMatchObject({ code: 'LIMIT_UNEXPECTED_FILE' });
      client.destroy();
      await storage.untilNothing();
      if (cut === body.length) await application.close();
    }
  });
});
