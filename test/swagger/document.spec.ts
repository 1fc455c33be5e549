import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Validator } from '@seriousme/openapi-schema-validator';
import { MemoryStorage, QuotaExceededError } from 'nestjs-storages';
import { FaultyStorage } from 'nestjs-storages/testing';
import { describedAnswers, operationOf, type Described } from './described-answers.js';
import { startSwagger, type SwaggerApplication } from './swagger-application.js';

const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001', 'hex');

let memory: MemoryStorage;
let faulty: FaultyStorage;
let running: SwaggerApplication;
let answers: Described;

beforeAll(async () => {
  memory = new MemoryStorage();
  faulty = new FaultyStorage(memory);
  running = await startSwagger(faulty);
  answers = describedAnswers(running);
  await memory.put('ada.png', PNG, { metadata: { owner: 'ada' } });
});

afterAll(() => running.app.close());

const document = (): OpenAPIObject => running.document;

function form(field: string, bytes: Buffer, texts: Readonly<Record<string, string>> = {}): FormData {
  const body = new FormData();
  for (const [name, text] of Object.entries(texts)) body.append(name, text);
  body.append(field, new Blob([bytes]), 'ada.png');
  return body;
}

describe('the document', () => {
  it.each(['3.0.0', '3.1.0'])('is valid OpenAPI %s', async (version) => {
    const other = await startSwagger(new MemoryStorage(), version);
    await other.app.close();
    const text = JSON.stringify(other.document);
    expect((JSON.parse(text) as OpenAPIObject).openapi).toBe(version);
    expect(await new Validator().validate(JSON.parse(text) as Record<string, unknown>)).toEqual({ valid: true });
  });

  it('has a form with a file and the text fields of a class', () => {
    expect(operationOf(document(), 'post', '/files/picture').requestBody).toEqual({
      required: true,
      content: {
        'multipart/form-data': {
          schema: {
            allOf: [
              { $ref: '#/components/schemas/CaptionDto' },
              {
                type: 'object',
                properties: {
                  picture: {
                    type: 'string',
                    format: 'binary',
                    description:
                      'A picture. A file of at least 2 bytes, at most 1,000 bytes, of the types image/*, .pdf, by its bytes.',
                  },
                },
                required: ['picture'],
              },
            ],
          },
          encoding: { picture: { contentType: 'application/pdf, image/*' } },
        },
      },
    });
  });

  it('has a form with several files in one field', () => {
    expect(operationOf(document(), 'post', '/files/album').requestBody).toEqual({
      required: false,
      content: {
        'multipart/form-data': {
          schema: {
            type: 'object',
            properties: { album: { type: 'array', items: { type: 'string', format: 'binary' }, maxItems: 3 } },
          },
        },
      },
    });
  });

  it('has a form with files in several fields, and the header of their checksum', () => {
    const { requestBody, parameters } = operationOf(document(), 'post', '/files/documents');
    expect(requestBody).toMatchObject({
      content: {
        'multipart/form-data': {
          schema: {
            properties: {
              portrait: { type: 'string', format: 'binary' },
              documents: { type: 'array', items: { type: 'string', format: 'binary' } },
            },
            required: ['documents'],
          },
          encoding: { portrait: { contentType: 'image/png' } },
        },
      },
    });
    expect(parameters).toMatchObject([{ name: 'X-Content-SHA256', in: 'header', required: false }]);
  });

  it('has a body that is a file, of each of its types', () => {
    const binary = { schema: { type: 'string', format: 'binary' } };
    expect(operationOf(document(), 'put', '/files/note').requestBody).toEqual({
      required: true,
      description: 'A file of at most 500 bytes.',
      content: { 'application/octet-stream': binary, 'text/markdown': binary },
    });
  });

  it.each([
    // as the method and its decorators say it, whether they stand above or below
    ['post', '/files/picture', '201', 'StoredUpload'],
    ['put', '/files/note', '200', 'PendingUpload'],
    ['get', '/files/info/{key}', '200', 'StoredFile'],
  ] as const)('says of %s %s that it answers %s with a %s', (method, path, status, model) => {
    const { responses } = operationOf(document(), method, path);
    const successes = Object.keys(responses).filter((each) => each.startsWith('2'));
    expect(successes).toEqual([status]);
    expect(responses[status]).toMatchObject({
      content: { 'application/json': { schema: { $ref: `#/components/schemas/${model}` } } },
    });
  });

  it('leaves what the application says of its own answer as it is, and describes the errors that it names', () => {
    const { responses } = operationOf(document(), 'put', '/files/plain');
    expect(Object.keys(responses)).toEqual(['200', '415']);
    expect(responses['200']).toMatchObject({ description: 'As the application says it.' });
  });

  it.each([
    ['no key of its own, no checksum and no scan', '/files/picture', [400, 408, 413, 415, 503, 504, 507]],
    ['a key of its own and a checksum', '/files/documents', [400, 408, 409, 413, 415, 422, 503, 504, 507]],
    ['options that nobody has told', '/files/album', [400, 408, 409, 413, 415, 422, 503, 504, 507]],
  ])('describes the refusals that are possible with %s', (_title, path, statuses) => {
    const { responses } = operationOf(document(), 'post', path);
    expect(
      Object.keys(responses)
        .map(Number)
        .filter((status) => status >= 400),
    ).toEqual(statuses);
  });

  it('describes a download with parts and conditions, without them, and by a link', () => {
    const statusesOf = (path: string): string[] => Object.keys(operationOf(document(), 'get', path).responses);
    const namesOf = (path: string): unknown[] =>
      (operationOf(document(), 'get', path).parameters ?? []).map((each) => ('name' in each ? each.name : each));
    expect(statusesOf('/files/{key}')).toEqual(['200', '206', '304', '400', '404', '412', '416', '503', '504']);
    expect(namesOf('/files/{key}').sort()).toEqual(
      ['key', 'Range', 'If-Range', 'If-Match', 'If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since'].sort(),
    );
    expect(statusesOf('/files/any/{key}')).toEqual(['200', '400', '404', '503', '504']);
    expect(namesOf('/files/any/{key}')).toEqual(['key']);
    const content = { 'image/png': expect.anything(), 'text/plain': expect.anything() };
    expect(operationOf(document(), 'get', '/files/any/{key}').responses['200']).toMatchObject({
      description: 'Whole.',
      content,
    });
    expect(statusesOf('/files/link/{key}')).toEqual(['302', '400', '404', '503', '504']);
  });

  it('describes an archive', () => {
    const zip = { 'application/zip': { schema: { type: 'string', format: 'binary' } } };
    const { responses } = operationOf(document(), 'get', '/files/zip');
    expect(Object.keys(responses)).toEqual(['200', '400', '404', '503', '504']);
    expect(responses['200']).toMatchObject({ description: 'The files, as a zip.', content: zip });
    expect(operationOf(document(), 'post', '/files/zip').responses['201']).toMatchObject({
      description: 'A selection.',
      content: zip,
    });
  });
});

describe('an answer is as the document says it:', () => {
  it.each([
    ['201 for a picture', PNG, 201],
    ['400 for one that is too small', Buffer.from('x'), 400],
    ['413 for one that is too large', Buffer.concat([PNG, Buffer.alloc(2000)]), 413],
    ['415 for one that is none', Buffer.from('no picture'), 415],
  ])('%s', async (_title, bytes, status) => {
    const body = form('picture', bytes, { caption: 'Ada', tags: 'a' });
    expect(await answers('post', '/files/picture', { body })).toBe(status);
  });

  it('400 without a file', async () => {
    const body = new FormData();
    body.append('caption', 'x');
    expect(await answers('post', '/files/picture', { body })).toBe(400);
  });

  it('201 for an album', async () => {
    const body = form('album', PNG);
    body.append('album', new Blob([PNG]), 'b.png');
    expect(await answers('post', '/files/album', { body })).toBe(201);
  });

  it('422 for a checksum that does not match, 409 for a file that is there', async () => {
    const send = (text: string): Promise<number> =>
      answers('post', '/files/documents', {
        headers: { 'X-Content-SHA256': createHash('sha256').update(text).digest('hex') },
        body: form('documents', Buffer.from('bytes')),
      });
    expect(await send('others')).toBe(422);
    expect(await send('bytes')).toBe(201);
    expect(await send('bytes')).toBe(409);
  });

  it.each([
    ['503 where it is away', undefined, 503],
    ['507 where it is full', new QuotaExceededError('full'), 507],
  ])('%s', async (_title, error, status) => {
    faulty.fail('stage', error === undefined ? {} : { error });
    expect(await answers('post', '/files/picture', { body: form('picture', PNG) })).toBe(status);
    faulty.clearFaults();
  });

  it('200 and 413 for a raw body', async () => {
    const headers = {
      'Content-Type': 'application/octet-stream',
      'Content-Disposition': 'attachment; filename="a.bin"',
    };
    expect(await answers('put', '/files/note', { headers, body: Buffer.from('x') })).toBe(200);
    expect(await answers('put', '/files/note', { headers, body: Buffer.alloc(501) })).toBe(413);
  });

  it.each([
    ['200', 'ada.png', {}, 200],
    ['206', 'ada.png', { Range: 'bytes=0-3' }, 206],
    ['404', 'grace.png', {}, 404],
    ['412', 'ada.png', { 'If-Match': '"another"' }, 412],
    ['416', 'ada.png', { Range: 'bytes=100-' }, 416],
    ['304', 'ada.png', { 'If-Modified-Since': new Date(Date.now() + 60_000).toUTCString() }, 304],
    ['400', '%01', {}, 400],
  ])('%s for a download', async (_title, key, headers, status) => {
    expect(await answers('get', '/files/{key}', { headers, path: `/files/${key}` })).toBe(status);
  });

  it.each([
    ['201', ['ada.png'], 201],
    ['404', ['grace.png'], 404],
    ['400', [''], 400],
  ])('%s for an archive', async (_title, keys, status) => {
    const body = JSON.stringify({ keys });
    expect(await answers('post', '/files/zip', { headers: { 'Content-Type': 'application/json' }, body })).toBe(status);
  });

  it('503 for a download from a storage that is away', async () => {
    faulty.fail('get');
    expect(await answers('get', '/files/{key}', { path: '/files/ada.png' })).toBe(503);
    faulty.clearFaults();
  });

  it('200 for what is known of a file', async () => {
    expect(await answers('get', '/files/info/{key}', { path: '/files/info/ada.png' })).toBe(200);
  });
});
