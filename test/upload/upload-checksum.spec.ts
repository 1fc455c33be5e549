import { createHash, randomBytes } from 'node:crypto';
import { crc32, createGzip } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  AnyStorageFilesInterceptor,
  StorageBodyInterceptor,
  StorageFileInterceptor,
  type UploadChecksum,
  type UploadOptions,
} from 'nestjs-storages';
import { workOfThread } from '../thread-time.js';
import { field, file, form, FORM_TYPE, type Part } from './form.js';
import type { Answer } from './raw-client.js';
import { RoutesApplication } from './routes-application.js';
import { WatchedStorage } from './watched-storage.js';

const HELLO = 'hello';
const sha256 = createHash('sha256').update(HELLO).digest();
const md5 = createHash('md5').update(HELLO).digest();
const WRONG = createHash('sha256').update('other').digest();

describe('checksum', () => {
  let application: RoutesApplication | undefined;
  let storage: WatchedStorage;

  afterEach(async () => {
    await application?.close();
    application = undefined;
  });

  async function start(checksum: UploadChecksum, options: UploadOptions = {}): Promise<void> {
    storage = new WatchedStorage();
    application = await RoutesApplication.start({
      routes: {
        one: StorageFileInterceptor('file', { checksum, ...options }),
        any: AnyStorageFilesInterceptor({ checksum, ...options }),
        ...(typeof checksum === 'object' && checksum.field !== undefined
          ? {}
          : { body: StorageBodyInterceptor({ checksum, ...options }) }),
      },
      storages: { main: storage },
    });
  }

  async function send(path: string, parts: readonly Part[], headers: Record<string, string> = {}): Promise<Answer> {
    const answer = await application?.send(path, form(...parts), { 'Content-Type': FORM_TYPE, ...headers });
    if (answer === undefined) throw new Error('There is no application.');
    // whatever was refused has left nothing
    if (answer.status !== 200) await storage.untilNothing();
    return answer;
  }

  const code = ({ status, body }: Answer): string => `${status} ${(body as { code?: string }).code ?? ''}`.trim();

  describe('is computed of what the client sent', () => {
    it.each(
      (['sha256', 'md5', 'crc32'] as const).flatMap((algorithm) =>
        [0, 1, 65_535, 65_536, 65_537, 1_000_003].map((size) => [algorithm, size] as const),
      ),
    )('%s of %i bytes', async (algorithm, size) => {
      await start(algorithm);
      const data = randomBytes(size);
      const expected =
        algorithm === 'crc32'
          ? crc32(data).toString(16).padStart(8, '0')
          : createHash(algorithm).update(data).digest('hex');
      const upload = { size, checksum: { [algorithm]: expected } };
      expect((await send('one', [file(data)])).body).toMatchObject({ file: upload });
      expect((await application?.send('body', data, {}, 'PUT'))?.body).toMatchObject({ file: upload });
    });

    it.each([100, 1_000_000])('and not of what a transform makes of its %i bytes', async (size) => {
      await start('md5', { transform: () => createGzip() });
      const data = randomBytes(size);
      const expected = createHash('md5').update(data).digest('hex');
      expect((await send('one', [file(data)])).body).toMatchObject({ file: { checksum: { md5: expected } } });
    });

    it('for each of several files', async () => {
      await start('crc32');
      const { body } = await send('any', [file('123456789', 'a'), file('', 'b')]);
      expect(body).toMatchObject({ files: [{ checksum: { crc32: 'cbf43926' } }, { checksum: { crc32: '00000000' } }] });
    });
  });

  describe('is verified with the one in a header', () => {
    const inHeader = { algorithm: 'sha256', header: 'X-Digest' } as const;
    const base64 = sha256.toString('base64');

    it.each([
      ['hex', sha256.toString('hex'), '200'],
      ['hex in upper case', sha256.toString('hex').toUpperCase(), '200'],
      ['Base64', base64, '200'],
      ['Base64 without its padding', base64.replace('=', ''), '200'],
      ['a dictionary', `sha-256=:${base64}:`, '200'],
      ['a dictionary of several', `md5=:${md5.toString('base64')}:, SHA-256=:${base64}:`, '200'],
      ['the older form of it', `SHA-256=${base64}`, '200'],
      ['another one in hex', WRONG.toString('hex'), '422 CHECKSUM_MISMATCH'],
      ['another one in Base64', WRONG.toString('base64'), '422 CHECKSUM_MISMATCH'],
      ['another one in a dictionary', `sha-256=:${WRONG.toString('base64')}:`, '422 CHECKSUM_MISMATCH'],
      [
        'the right one and then another one',
        `sha-256=:${base64}:, sha-256=:${WRONG.toString('base64')}:`,
        '422 CHECKSUM_MISMATCH',
      ],
      ['nothing', '', '400 CHECKSUM_INVALID'],
      ['one that is too short', sha256.toString('hex').slice(2), '400 CHECKSUM_INVALID'],
      ['one that is too long', `${sha256.toString('hex')}00`, '400 CHECKSUM_INVALID'],
      ['one of another algorithm', md5.toString('hex'), '400 CHECKSUM_INVALID'],
      ['a dictionary without it', `md5=:${md5.toString('base64')}:`, '400 CHECKSUM_INVALID'],
      ['no Base64', base64.replace(/.$/, '*'), '400 CHECKSUM_INVALID'],
      ['words', 'the checksum', '400 CHECKSUM_INVALID'],
    ])('as %s', async (_what, said, expected) => {
      await start(inHeader);
      expect(code(await send('one', [file(HELLO)], { 'x-digest': said }))).toBe(expected);
      const answer = await application?.send('body', HELLO, { 'X-DIGEST': said }, 'PUT');
      expect(answer && code(answer)).toBe(expected);
    });

    it.each([
      ['md5', md5, 'md5'],
      ['crc32', Buffer.from('3610a686', 'hex'), 'crc32'],
    ] as const)('of %s', async (algorithm, digest, key) => {
      await start({ algorithm, header: 'digest' });
      for (const said of [digest.toString('hex'), digest.toString('base64'), `${key}=${digest.toString('base64')}`]) {
        expect(code(await send('one', [file(HELLO)], { digest: said }))).toBe('200');
      }
    });

    it('of the bytes that the client sent, beside a transform', async () => {
      await start(inHeader, { transform: () => createGzip() });
      expect(code(await send('one', [file(HELLO)], { 'x-digest': base64 }))).toBe('200');
    });

    it('only where there is one, unless it is required', async () => {
      await start(inHeader);
      expect(code(await send('one', [file(HELLO)]))).toBe('200');
      expect(code(await send('one', [], { 'x-digest': base64 }))).toBe('200');
      await application?.close();
      await start({ ...inHeader, required: true });
      expect(code(await send('one', [file(HELLO)]))).toBe('400 CHECKSUM_MISSING');
      expect(code(await send('one', []))).toBe('200');
      expect(code(await send('one', [file(HELLO)], { 'x-digest': base64 }))).toBe('200');
    });

    it('of one file: a form with another one beside it is refused', async () => {
      await start(inHeader);
      expect(code(await send('any', [file(HELLO)], { 'x-digest': base64 }))).toBe('200');
      await application?.close();
      await start(inHeader);
      expect(code(await send('any', [file(HELLO), file(HELLO)], { 'x-digest': base64 }))).toBe('400 CHECKSUM_INVALID');
    });
  });

  describe('is verified with the one in a field', () => {
    const inField = { algorithm: 'sha256', field: 'sum' } as const;

    it.each([
      ['before the file', [field('sum', sha256.toString('hex')), file(HELLO)], '200'],
      ['behind the file', [file(HELLO), field('sum', sha256.toString('base64'))], '200'],
      ['that is another one', [file(HELLO), field('sum', WRONG.toString('hex'))], '422 CHECKSUM_MISMATCH'],
      ['that is none', [field('sum', 'none'), file(HELLO)], '400 CHECKSUM_INVALID'],
      ['that is empty', [field('sum', ''), file(HELLO)], '400 CHECKSUM_INVALID'],
      [
        'that comes twice',
        [field('sum', sha256.toString('hex')), file(HELLO), field('sum', sha256.toString('hex'))],
        '400 CHECKSUM_INVALID',
      ],
      ['that has not come', [file(HELLO)], '200'],
    ])('%s', async (_what, parts, expected) => {
      await start(inField);
      expect(code(await send('one', parts))).toBe(expected);
    });

    it('that must come, where it is required', async () => {
      await start({ ...inField, required: true });
      const answer = await send('one', [file(HELLO)]);
      expect(code(answer)).toBe('400 CHECKSUM_MISSING');
      expect(answer.body).toMatchObject({
        message: 'Checksum missing: the file in "file" needs one in the field "sum".',
      });
    });

    it.each(['sums[file]', 'sums[7]', 'a[b][3]', 'sum]', 'sum[', '[sum]', 'toString'])(
      'of the name %s, as nested as it is',
      async (name) => {
        await start({ algorithm: 'sha256', field: name, required: true });
        expect(code(await send('one', [field(name, WRONG.toString('hex')), file(HELLO)]))).toBe(
          '422 CHECKSUM_MISMATCH',
        );
        expect(code(await send('one', [file(HELLO)]))).toBe('400 CHECKSUM_MISSING');
        expect(code(await send('one', [file(HELLO), field(name, sha256.toString('hex'))]))).toBe('200');
      },
    );

    it('that is long, and takes no time: what is no checksum by its length is not searched', async () => {
      await start(inField);
      const before = workOfThread();
      expect(code(await send('one', [field('sum', `${'='.repeat(200_000)}x`), file(HELLO)]))).toBe(
        '400 CHECKSUM_INVALID',
      );
      // a search that goes back for each character takes a minute
      expect(workOfThread() - before).toBeLessThan(2000);
    });

    it('that an async function names is a mistake of the application, and does not end the process when it fails', async () => {
      const unheard: unknown[] = [];
      const hear = (reason: unknown): void => {
        unheard.push(reason);
      };
      process.on('unhandledRejection', hear);
      try {
        const name = (): unknown => Promise.reject(new Error('no name'));
        await start({ algorithm: 'sha256', field: name as () => string });
        expect(code(await send('one', [file(HELLO)]))).toBe('500 STORAGE_FAILURE');
        await new Promise((resolve) => setImmediate(resolve));
        expect(unheard).toEqual([]);
      } finally {
        process.off('unhandledRejection', hear);
      }
    });

    it('that a function names for each of several files', async () => {
      await start({ algorithm: 'sha256', field: ({ fieldname, originalname }) => `${fieldname}-${originalname}` });
      const sums = [field('a-1', sha256.toString('hex')), field('b-2', WRONG.toString('hex'))];
      const files = [file(HELLO, 'a', '1'), file('other', 'b', '2')];
      expect(code(await send('any', [...sums, ...files]))).toBe('200');
      await application?.close();
      await start({ algorithm: 'sha256', field: ({ fieldname }) => fieldname });
      const swapped = await send('any', [
        ...files,
        field('a', WRONG.toString('hex')),
        field('b', WRONG.toString('hex')),
      ]);
      expect(code(swapped)).toBe('422 CHECKSUM_MISMATCH');
      expect(swapped.body).toMatchObject({ message: expect.stringContaining('"a"') as unknown });
    });
  });
});
