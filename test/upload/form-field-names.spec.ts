import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AnyFilesInterceptor } from '@nestjs/platform-express';
import fc from 'fast-check';
import { AnyStorageFilesInterceptor, MemoryStorage } from 'nestjs-storages';
import { BOUNDARY, file, FORM_TYPE, partHead } from './form.js';
import { RoutesApplication } from './routes-application.js';
import { platform } from './upload-application.js';

const ours = {
  any: AnyStorageFilesInterceptor(),
  flat: AnyStorageFilesInterceptor({ limits: { fieldNestingDepth: 0 } }),
  lifted: AnyStorageFilesInterceptor({
    limits: { fieldNestingDepth: Infinity, fieldArrayIndexLimit: Infinity, parts: Infinity, fieldNameSize: Infinity },
  }),
};

/** The values of a form are its names' numbers, so that each can be found again. */
const CASES: readonly (readonly string[])[] = [
  ['a'],
  ['a', 'a'],
  ['a', 'a', 'a'],
  ['a[]'],
  ['a[]', 'a[]'],
  ['a[0]', 'a[1]'],
  ['a[1]', 'a[0]'],
  ['a[0]', 'a[0]'],
  ['a[7]'],
  ['a[3]', 'a[1]', 'a[900]'],
  ['a[1000]'],
  ['a[0][b]', 'a[0][c]', 'a[1][b]'],
  ['a[2][5][b]', 'a[2][7]'],
  ['a[b]'],
  ['a[b]', 'a[c]', 'a[b]'],
  ['a[b][c][d]'],
  ['a[b][]', 'a[b][]'],
  ['a[b]', 'a'],
  ['a', 'a[b]'],
  ['a', 'a[]'],
  ['a[]', 'a'],
  ['a[]', 'a[b]'],
  ['a[0]', 'a[b]', 'a[1]'],
  ['a[b]', 'a[0]'],
  ['a[b]', 'a[]'],
  ['a[][]'],
  ['a[][b]'],
  ['a[b][][c]'],
  ['[a]'],
  ['[]'],
  ['[0]'],
  [']'],
  ['a]'],
  ['a['],
  ['a[b'],
  ['a[b]c'],
  ['a[b][c'],
  ['a[b]]'],
  ['a[[b]]'],
  ['a[6]suffix'],
  ['a[99999999]suffix'],
  ['a[-1]'],
  ['a[1.5]'],
  ['a[01]'],
  ['a[ ]'],
  ['a.b'],
  [' a '],
  ['a[length]'],
  ['a[0]', 'a[length]', 'a[push]'],
  ['constructor'],
  ['constructor[prototype][x]'],
  ['a[constructor][prototype][x]'],
  ['prototype', 'a[prototype]'],
  ['toString', 'hasOwnProperty', 'valueOf[x]'],
  ['a[toString]', 'a'],
  ['ü[日本]', '😀'],
  ['k%22[%0D%0A]'],
  ['0', '1'],
];

/** Names that are a way into an object's prototype for whoever copies the body into one. */
const PROTOTYPES = [
  '__proto__',
  '__proto__[]',
  '__proto__[x]',
  '__proto__[0]',
  'a[__proto__]',
  'a[__proto__][x]',
  'a[b][__proto__][x]',
  'a[0][__proto__]',
  'a[__proto__][]',
  '[__proto__]',
];

describe('The names of text fields', () => {
  let application: RoutesApplication;

  beforeAll(async () => {
    application = await RoutesApplication.start({
      routes: platform === 'fastify' ? ours : { ...ours, 'nest/any': AnyFilesInterceptor() },
      storages: { main: new MemoryStorage() },
      handler: () => ({}),
    });
  });

  afterAll(async () => {
    await application.close();
  });

  async function bodyOf(path: string, names: readonly string[]): Promise<unknown> {
    const parts = names.map((name, index) => Buffer.concat([partHead({ name }), Buffer.from(`${index}\r\n`)]));
    const sent = Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);
    const { status, body } = await application.send(path, sent, { 'Content-Type': FORM_TYPE });
    return status === 200 ? application.given.at(-1)?.body : { refused: status, why: codeOf(body) };
  }

  it.each(CASES.map((names) => [names.join(' '), names] as const))(
    '%s make what multer makes of them',
    async (_title, names) => {
      const body = await bodyOf('any', names);
      expect(JSON.stringify(body)).toBe(JSON.stringify(multerBody(names)));
      expectNoPrototypes(body);
      // Nest reads the bytes of a name as Latin-1
      if (platform !== 'fastify' && !/[^ -~]/.test(names.join('')))
        expect(JSON.stringify(body)).toBe(JSON.stringify(await bodyOf('nest/any', names)));
    },
  );

  it('make what multer makes of them, whatever they are', async () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      '[',
      ']',
      '[]',
      '[0]',
      '[3]',
      '[b]',
      '[a]',
      '[constructor]',
      'length',
      '0',
      ' ',
      'é',
    );
    const name = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 8 }), async (names) => {
        const body = await bodyOf('any', names);
        const expected = multerBody(names);
        expect(JSON.stringify(body)).toBe(JSON.stringify(expected));
        if (!isRefusal(body)) expectNoPrototypes(body);
      }),
      { numRuns: 200, interruptAfterTimeLimit: 20_000 },
    );
  }, 60_000);

  it.each(PROTOTYPES)('%s is refused, and touches no prototype', async (name) => {
    expect(await bodyOf('any', ['a', name])).toEqual({ refused: 400, why: 'INVALID_FIELD_NAME' });
    expect(await bodyOf('any', [name])).toEqual({ refused: 400, why: 'INVALID_FIELD_NAME' });
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    expect(([] as unknown as Record<string, unknown>)['x']).toBeUndefined();
  });

  it.each(['__proto__x', 'a__proto__', 'a[__proto__x]', '__proto__]', 'a[__proto__'])(
    '%s is a name like another',
    async (name) => {
      const body = await bodyOf('any', [name]);
      expectNoPrototypes(body);
      expect(JSON.stringify(body)).toBe(JSON.stringify(multerBody([name])));
    },
  );

  it.each(['__proto__', 'constructor', 'a[b][__proto__]'])('a file in %s is a file like another', async (name) => {
    expect((await application.post('any', file('x', name))).status).toBe(200);
    expect(application.given.at(-1)?.files).toMatchObject([{ fieldname: name }]);
  });

  it('may nest as deep as the limit, and no deeper', async () => {
    expect(await bodyOf('any', [`a${'[b]'.repeat(32)}`])).toHaveProperty('a.b.b');
    expect(await bodyOf('any', [`a${'[b]'.repeat(33)}`])).toEqual({ refused: 400, why: 'LIMIT_FIELD_NESTING' });
    expect(await bodyOf('any', ['['.repeat(33)])).toEqual({ refused: 400, why: 'LIMIT_FIELD_NESTING' });
    expect(await bodyOf('flat', ['a'])).toEqual({ a: '0' });
    expect(await bodyOf('flat', ['a[]'])).toEqual({ refused: 400, why: 'LIMIT_FIELD_NESTING' });
  });

  it('may have an index of the limit, and no more', async () => {
    expect(await bodyOf('any', ['a[1000]'])).toEqual({ a: ['0'] });
    expect(await bodyOf('any', ['a[1001]'])).toEqual({ refused: 400, why: 'LIMIT_FIELD_ARRAY_INDEX' });
    expect(await bodyOf('any', ['a[b][99999999999999999999]'])).toEqual({
      refused: 400,
      why: 'LIMIT_FIELD_ARRAY_INDEX',
    });
  });

  it('leave no gaps in arrays, in the order of the indexes', async () => {
    const body = await bodyOf('any', ['a[9]', 'a[4]', 'a[700]', 'b[3][5]', 'b[3][2]']);
    expect(JSON.stringify(body)).toBe('{"a":["1","0","2"],"b":[["4","3"]]}');
    expect(await bodyOf('lifted', ['a[4000000000]', 'a[5]'])).toEqual({ a: ['1', '0'] });
  });

  it('may be as many and as deep as limits that are lifted allow', async () => {
    const names = Array.from({ length: 150_000 }, (_, index) => `a[${2 * index}]`);
    const body = (await bodyOf('lifted', names)) as { a: unknown[] };
    expect(body).toHaveProperty('a.length', names.length);
    expect(body.a.at(-1)).toBe(String(names.length - 1));
    expect(await bodyOf('lifted', [`a${'[b]'.repeat(5000)}`])).toHaveProperty('a.b');
  });
});

/** What multer and Nest make of it: the library, and closed gaps. */
function multerBody(names: readonly string[]): unknown {
  const body = Object.create(null) as object;
  for (const [index, name] of names.entries()) {
    try {
      appendField(body, name.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n'), String(index));
    } catch {
      return { refused: 400, why: 'INVALID_FIELD_NAME' };
    }
  }
  return withoutGaps(body);
}

function withoutGaps(value: unknown): unknown {
  if (Array.isArray(value)) return Object.values(value).map(withoutGaps);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withoutGaps(each)]));
}

// what multer itself would load
const require = createRequire(createRequire(import.meta.url).resolve('multer'));
const appendField = require('append-field') as (store: object, name: string, value: string) => void;

function codeOf(body: unknown): unknown {
  const { code, message } = body as { code?: string; message: string };
  return code ?? (message.startsWith('Invalid field name') ? 'INVALID_FIELD_NAME' : message);
}

const isRefusal = (body: unknown): boolean => typeof body === 'object' && body !== null && 'refused' in body;

function expectNoPrototypes(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  expect(Object.getPrototypeOf(value)).toBe(Array.isArray(value) ? Array.prototype : null);
  Object.values(value).forEach(expectNoPrototypes);
}
