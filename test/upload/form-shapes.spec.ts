import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AnyFilesInterceptor,
  FileFieldsInterceptor,
  FileInterceptor,
  FilesInterceptor,
} from '@nestjs/platform-express';
import {
  AnyStorageFilesInterceptor,
  MemoryStorage,
  StorageFileFieldsInterceptor,
  StorageFileInterceptor,
  StorageFilesInterceptor,
} from 'nestjs-storages';
import { field, file, type Part } from './form.js';
import { RoutesApplication, type Given } from './routes-application.js';
import { platform } from './upload-application.js';

const ours = {
  one: StorageFileInterceptor('a'),
  many: StorageFilesInterceptor('a', 2),
  unbound: StorageFilesInterceptor('a'),
  fields: StorageFileFieldsInterceptor([{ name: 'a', maxCount: 2 }, { name: 'b', maxCount: 1 }, { name: 'c' }]),
  any: AnyStorageFilesInterceptor(),
  anyTwo: AnyStorageFilesInterceptor({ limits: { files: 2 } }),
};

/** Nest's own, which stand on multer. */
const theirs = {
  'nest/one': FileInterceptor('a'),
  'nest/many': FilesInterceptor('a', 2),
  'nest/unbound': FilesInterceptor('a'),
  'nest/fields': FileFieldsInterceptor([{ name: 'a', maxCount: 2 }, { name: 'b', maxCount: 1 }, { name: 'c' }]),
  'nest/any': AnyFilesInterceptor(),
  'nest/anyTwo': AnyFilesInterceptor({ limits: { files: 2 } }),
};

type Path = keyof typeof ours;

// multer answers on Express alone; there every case is held against both
const sides = platform === 'fastify' ? ['ours'] : ['ours', "Nest's own"];

const empty = (name: string): Part => ({ name, filename: '', type: 'application/octet-stream', data: '' });

describe.each(sides)('A form for %s', (side) => {
  let application: RoutesApplication;
  const pathOf = (path: Path): string => (side === 'ours' ? path : `nest/${path}`);

  beforeAll(async () => {
    application = await RoutesApplication.start({
      routes: platform === 'fastify' ? ours : { ...ours, ...theirs },
      storages: { main: new MemoryStorage() },
      handler: () => ({}),
    });
  });

  afterAll(async () => {
    await application.close();
  });

  async function send(path: Path, ...parts: readonly Part[]): Promise<{ files: unknown; body: unknown }> {
    const { status } = await application.post(pathOf(path), ...parts);
    expect(status).toBe(200);
    const given = application.given.at(-1);
    return { files: shapeOf(path === 'one' ? given?.file : given?.files), body: given?.body };
  }

  const a = (data: string, filename = `${data}.bin`): Part => file(data, 'a', filename);
  const b = (data: string): Part => file(data, 'b', `${data}.bin`);

  describe('gives @UploadedFile() or @UploadedFiles()', () => {
    it.each<[what: string, path: Path, parts: readonly Part[], expected: unknown]>([
      ['one file', 'one', [a('1')], 'a:1.bin:1'],
      ['undefined where one is left empty', 'one', [empty('a')], undefined],
      ['undefined where there is none', 'one', [field('x', 'y')], undefined],
      ['undefined for a form of no parts', 'one', [], undefined],
      ['files in the order in which they were sent', 'many', [a('22'), a('1')], ['a:22.bin:2', 'a:1.bin:1']],
      ['as many as the count allows', 'many', [a('1'), a('2')], ['a:1.bin:1', 'a:2.bin:1']],
      ['an empty array where there is none', 'many', [field('x', 'y')], []],
      ['an empty array for a form of no parts', 'many', [], []],
      [
        'no file for an input left empty between others',
        'many',
        [a('1'), empty('a'), a('2')],
        ['a:1.bin:1', 'a:2.bin:1'],
      ],
      [
        'any number where no count is set',
        'unbound',
        Array.from({ length: 30 }, () => a('1')),
        Array(30).fill('a:1.bin:1'),
      ],
      [
        'an array for each field, the fields in the order of their first file',
        'fields',
        [b('1'), a('1'), file('x', 'c', 'c'), a('2')],
        { b: ['b:1.bin:1'], a: ['a:1.bin:1', 'a:2.bin:1'], c: ['c:c:1'] },
      ],
      ['no key for a field without a file', 'fields', [b('1'), empty('a')], { b: ['b:1.bin:1'] }],
      ['an empty object where there is none', 'fields', [field('x', 'y')], {}],
      ['an empty object for a form of no parts', 'fields', [], {}],
      [
        'files of any field, interleaved with text',
        'any',
        [field('x', '1'), b('1'), field('y', '2'), a('2'), field('x', '3'), file('4', '__proto__', 'p')],
        ['b:1.bin:1', 'a:2.bin:1', '__proto__:p:1'],
      ],
      ['an empty array where any field would do', 'any', [empty('x')], []],
      ['an empty file, which is a file', 'any', [a('', 'none')], ['a:none:0']],
      ['no file for an empty input of a field that takes none', 'many', [empty('z'), a('1')], ['a:1.bin:1']],
      ['a text field of the name of a file field', 'many', [field('a', 'text'), a('1')], ['a:1.bin:1']],
    ])('%s', async (_what, path, parts, expected) => {
      const { files } = await send(path, ...parts);
      expect(files).toEqual(expected);
      expect(Object.keys(Object(files) as object)).toEqual(Object.keys(Object(expected) as object));
    });

    it.each(['one', 'many', 'fields', 'any'] as const)(
      'undefined to the interceptor %s where there is no form',
      async (path) => {
        const { status } = await application.send(pathOf(path), '{"a":1}', { 'Content-Type': 'application/json' });
        expect(status).toBe(200);
        expect(application.given.at(-1)).toEqual({ file: undefined, files: undefined, body: { a: 1 } });
      },
    );

    it('the names and types that the client says', async () => {
      await send('one', { name: 'a', filename: 'x.TXT', type: 'Text/Plain; charset=latin1', data: 'x' });
      const expected = { fieldname: 'a', originalname: 'x.TXT', mimetype: 'text/plain', encoding: '7bit', size: 1 };
      expect(application.given.at(-1)?.file).toMatchObject(expected);
    });
  });

  describe('gives @Body()', () => {
    it('the text fields, whatever files stand between them', async () => {
      const { body } = await send('any', field('x', '1'), a('1'), field('y', ''), b('2'), field('x', '2'));
      expect(JSON.stringify(body)).toBe('{"x":["1","2"],"y":""}');
      expect(Object.getPrototypeOf(body)).toBeNull();
    });

    it('an object where there are none', async () => {
      const { body } = await send('one', a('1'));
      expect(body).toEqual({});
    });
  });

  describe('is refused', () => {
    it.each<[what: string, path: Path, parts: readonly Part[]]>([
      ['one file more than one', 'one', [a('1'), a('2')]],
      ['one file more than the count', 'many', [a('1'), a('2'), a('3')]],
      ['one file more than the count of its field', 'fields', [b('1'), a('1'), b('2')]],
      ['a file in a field that takes none', 'many', [file('x', 'z')]],
      ['a file in a field that takes none, behind others', 'fields', [a('1'), file('x', 'z')]],
    ])('for %s', async (_what, path, parts) => {
      expect(await refusal(path, ...parts)).toEqual([400, /^LIMIT_UNEXPECTED_FILE$|^Unexpected file field - [abz]$/]);
    });

    it('for one file more than all fields together may have', async () => {
      expect(await send('anyTwo', a('1'), b('1'), field('x', 'y'))).toMatchObject({
        files: ['a:1.bin:1', 'b:1.bin:1'],
      });
      expect(await refusal('anyTwo', a('1'), b('1'), file('x', 'c'))).toEqual([
        400,
        /^LIMIT_FILE_COUNT$|^Too many files$/,
      ]);
    });

    async function refusal(path: Path, ...parts: readonly Part[]): Promise<[status: number, reason: unknown]> {
      const { status, body } = await application.post(pathOf(path), ...parts);
      const { code, message } = body as { code?: string; message: string };
      return [status, matching(code ?? message)];
    }
  });
});

/** Lets `toEqual` compare a text with a pattern. */
function matching(text: string): unknown {
  return {
    asymmetricMatch: (pattern: unknown) => pattern instanceof RegExp && pattern.test(text),
    toString: () => text,
  };
}

interface FileShape {
  readonly fieldname: string;
  readonly originalname: string;
  readonly size: number;
}

/** What stands in each place: `field:name:size`. */
function shapeOf(files: Given['files']): unknown {
  if (Array.isArray(files)) return files.map(shapeOf);
  if (typeof files !== 'object' || files === null) return files;
  if ('fieldname' in files) {
    const { fieldname, originalname, size } = files as FileShape;
    return `${fieldname}:${originalname}:${size}`;
  }
  return Object.fromEntries(Object.entries(files).map(([name, each]) => [name, shapeOf(each)]));
}
