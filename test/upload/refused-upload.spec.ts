import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BOUNDARY, field, file, form, FORM_TYPE, partHead } from './form.js';
import type { Answer } from './raw-client.js';
import { UploadApplication, type UploadApplicationOptions } from './upload-application.js';
import { WatchedStorage } from './watched-storage.js';

const KiB = 1024;

describe('An upload that is refused', () => {
  let storage: WatchedStorage;
  let application: UploadApplication;
  let handled: number;

  async function start(setup: Partial<UploadApplicationOptions> = {}): Promise<UploadApplication> {
    application = await UploadApplication.start({
      storage,
      handler: () => {
        handled++;
        return { done: true };
      },
      ...setup,
    });
    return application;
  }

  beforeEach(() => {
    storage = new WatchedStorage();
    handled = 0;
  });

  afterEach(async () => {
    await application.close();
  });

  async function expectRefused(answer: Answer, status: number, code: string, message: RegExp | string): Promise<void> {
    expect(answer).toMatchObject({
      status,
      body: { statusCode: status, code, message: expect.stringMatching(message), error: expect.any(String) },
    });
    const shown = Object.keys(answer.body as object).filter((name) => name !== 'field');
    expect(shown.sort()).toEqual(['code', 'error', 'message', 'statusCode']);
    await expectNothing();
  }

  async function expectNothing(): Promise<void> {
    expect(handled).toBe(0);
    expect(await storage.keys()).toEqual([]);
    expect({ staged: storage.staged, staging: storage.staging }).toEqual({ staged: 0, staging: 0 });
  }

  describe.each([10, 64 * KiB, 300 * KiB])('with a file limit of %i bytes', (fileSize) => {
    it('takes a file of exactly that size', async () => {
      await start({ options: { limits: { fileSize } } });
      expect((await application.post(file(Buffer.alloc(fileSize, 1)))).status).toBe(201);
    });

    it('refuses one byte more, and the storage never sees its end', async () => {
      await start({ options: { limits: { fileSize } } });
      const answer = await application.post(file(Buffer.alloc(fileSize + 1, 1)));
      await expectRefused(answer, 413, 'LIMIT_FILE_SIZE', `"file".*${fileSize} bytes`);
      expect(storage.sourcesEnded).toBe(0);
    });
  });

  it('has the wrong field name', async () => {
    await start();
    const answer = await application.post(file('x', 'picture'));
    await expectRefused(answer, 400, 'LIMIT_UNEXPECTED_FILE', '"picture".*"file"');
  });

  it('has two files where one is taken', async () => {
    await start();
    const answer = await application.post(file('x'.repeat(100 * KiB)), file('y'));
    await expectRefused(answer, 400, 'LIMIT_UNEXPECTED_FILE', '"file"');
  });

  it('lacks the file that is required', async () => {
    await start({ options: { required: true } });
    await expectRefused(await application.post(field('a', 'b')), 400, 'MISSING_FILE', '"file"');
    const empty = await application.post({ name: 'file', filename: '', type: 'application/octet-stream', data: '' });
    await expectRefused(empty, 400, 'MISSING_FILE', '"file"');
  });

  it('has the file that is required as text, and is told so', async () => {
    await start({ options: { required: true } });
    await expectRefused(await application.post(field('file', 'b')), 400, 'MISSING_FILE', '"file" was sent as text');
  });

  it('is no form where a file is required', async () => {
    await start({ options: { required: true } });
    await expectRefused(
      await application.send('{}', 'application/json'),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'multipart/form-data',
    );
  });

  it('is multipart of another kind', async () => {
    await start();
    await expectRefused(
      await application.send(form(), `multipart/mixed; boundary=${BOUNDARY}`),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'multipart/form-data',
    );
  });

  it.each([
    ['no boundary', 'multipart/form-data'],
    ['an empty boundary', 'multipart/form-data; boundary='],
    ['two boundaries', `multipart/form-data; boundary=a; boundary=${BOUNDARY}`],
    ['a boundary of 71 characters', `multipart/form-data; boundary=${'a'.repeat(71)}`],
    [
      'a Content-Type of 201 characters',
      `multipart/form-data; boundary=${BOUNDARY}; x=${'a'.repeat(300)}`.slice(0, 201),
    ],
    ['a boundary that ends with a space', 'multipart/form-data; boundary="a "'],
    ['a boundary with a control character', 'multipart/form-data; boundary="a\tb"'],
    ['a comma and another type', `multipart/form-data; boundary=${BOUNDARY}, text/plain`],
  ])('has %s', async (_what, type) => {
    await start();
    await expectRefused(await application.send(form(file('x')), type), 400, 'MULTIPART_BOUNDARY_NOT_FOUND', 'Boundary');
  });

  it.each([
    ['fields', { fields: 1 }, [field('a', '1'), field('b', '2')], 'LIMIT_FIELD_COUNT', '1 text field'],
    ['parts', { parts: 1 }, [field('a', '1'), file('2')], 'LIMIT_PART_COUNT', '1 part'],
    ['files', { files: 0 }, [file('2')], 'LIMIT_FILE_COUNT', '0 files'],
    ['fieldSize', { fieldSize: 3 }, [field('a', '1234')], 'LIMIT_FIELD_VALUE', '"a".*3 bytes'],
    ['fieldNameSize', { fieldNameSize: 3 }, [field('abcd', '1')], 'LIMIT_FIELD_KEY', '"abcd".*3 bytes'],
  ] as const)('is over the limit %s', async (_limit, limits, parts, code, message) => {
    await start({ options: { limits } });
    await expectRefused(await application.post(...parts), 400, code, message);
  });

  it('is at every limit and not over it, and is taken', async () => {
    await start({
      options: { limits: { fields: 2, parts: 3, files: 1, fieldSize: 4, fieldNameSize: 4, fileSize: 2 } },
    });
    const answer = await application.post(field('a', '1234'), field('abcd', ''), file('xy'));
    expect(answer.status).toBe(201);
    expect(await storage.keys()).toHaveLength(1);
  });

  it.each([
    ['a part without a name', 'Content-Disposition: form-data\r\n\r\nx', 'MISSING_FIELD_NAME'],
    ['a part named __proto__', 'Content-Disposition: form-data; name="__proto__"\r\n\r\nx', 'INVALID_FIELD_NAME'],
    [
      'a field in a charset that is not known',
      'Content-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=klingon\r\n\r\nx',
      'MULTIPART_MALFORMED_PART_HEADER',
    ],
    ['a header that is none', 'Content-Disposition form-data\r\n\r\nx', 'MULTIPART_MALFORMED_PART_HEADER'],
    ['a header of more than 16 KiB', `X-Long: ${'a'.repeat(17 * KiB)}\r\n\r\nx`, 'MULTIPART_MALFORMED_PART_HEADER'],
  ])('has %s', async (_what, part, code) => {
    await start();
    const answer = await application.send(`--${BOUNDARY}\r\n${part}\r\n--${BOUNDARY}--\r\n`);
    await expectRefused(answer, 400, code, '.');
  });

  it.each([1, 200 * KiB])('ends inside a file of %i bytes', async (size) => {
    await start();
    const body = Buffer.concat([partHead({ name: 'file', filename: 'a' }), Buffer.alloc(size)]);
    await expectRefused(await application.send(body), 400, 'MULTIPART_UNEXPECTED_END_OF_FORM', 'Unexpected end');
  });

  it.each([1, 200 * KiB])('ends after a file of %i bytes without the closing delimiter', async (size) => {
    await start();
    const whole = form(file(Buffer.alloc(size)));
    for (const cut of [2, 3, 4, 5]) {
      const answer = await application.send(whole.subarray(0, whole.length - cut));
      if (cut === 2)
        expect(answer.status).toBe(201); // only the line break after the delimiter is gone
      else expect(answer.status).toBe(400);
      for (const key of await storage.keys()) await storage.delete(key);
    }
    handled = 0;
    await expectNothing();
  });

  it('is empty', async () => {
    await start();
    await expectRefused(await application.send(''), 400, 'MULTIPART_UNEXPECTED_END_OF_FORM', 'Unexpected end');
  });

  it('is answered while the client is still sending, and the end of the connection is announced', async () => {
    await start({ options: { limits: { fileSize: 1000 } } });
    const client = await application.connect();
    client.head({ 'Transfer-Encoding': 'chunked' });
    const chunk = (data: Buffer): Buffer =>
      Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]);
    client.socket.write(chunk(partHead({ name: 'file', filename: 'a' })));
    const state = { sending: true };
    const answering = client.answer().finally(() => {
      state.sending = false;
    });
    const data = chunk(Buffer.alloc(64 * KiB));
    const begun = performance.now();
    let sent = 0;
    while (state.sending && (await client.send(data))) {
      sent += data.length;
      // lets the answer in between
      await new Promise((resolve) => setImmediate(resolve));
    }
    const answer = await answering;
    expect(answer.headers.get('connection')).toBe('close');
    // it is waited for 1 MiB more, or half a second where the process has stood still for so long
    expect(sent > 1024 * KiB || performance.now() - begun >= 500).toBe(true);
    await expectRefused(answer, 413, 'LIMIT_FILE_SIZE', '"file"');
    // the client may go on for a moment without a reset
    expect(await client.send(data)).toBe(true);
    client.socket.end();
    await client.closed();
  });

  it('is answered when the client stalls in the middle, and the end of the connection is announced', async () => {
    await start({ options: { limits: { fileSize: 1000 } } });
    const client = await application.connect();
    client.head({ 'Content-Length': '100000' });
    client.socket.write(Buffer.concat([partHead({ name: 'file', filename: 'a' }), Buffer.alloc(2000)]));
    const answer = await client.answer();
    expect(answer.headers.get('connection')).toBe('close');
    await expectRefused(answer, 413, 'LIMIT_FILE_SIZE', '"file"');
    client.destroy();
  });

  it('leaves a connection that the next request can use', async () => {
    await start({ options: { limits: { fileSize: 1000 } } });
    const client = await application.connect();
    for (let round = 0; round < 3; round++) {
      client.post(form(file(Buffer.alloc(500 * KiB))));
      const answer = await client.answer();
      expect(answer.headers.get('connection')).toBe('keep-alive');
      await expectRefused(answer, 413, 'LIMIT_FILE_SIZE', '"file"');
    }
    client.post(form(file('small')));
    expect((await client.answer()).status).toBe(201);
    client.destroy();
  });

  it('does not disturb the request that was pipelined behind it', async () => {
    await start();
    const client = await application.connect();
    client.post(form(file('x', 'wrong')));
    client.post(form(file('x')));
    expect((await client.answer()).status).toBe(400);
    expect((await client.answer()).status).toBe(201);
    client.destroy();
  });

  it('says 500 when something else has read the body before', async () => {
    await start({
      before: (request, _response, next) => {
        request.resume();
        void once(request, 'end').then(() => {
          next();
        });
      },
    });
    const answer = await application.send(form(file('x')));
    expect(answer.status).toBe(500);
  });

  it('is no form where no file is required, and then it is not refused', async () => {
    await start({ handler: (upload, body) => ({ none: upload === undefined, body }) });
    expect((await application.send('{"a":1}', 'application/json')).body).toEqual({ none: true, body: { a: 1 } });
    expect((await application.send(form(), FORM_TYPE)).body).toEqual({ none: true, body: {} });
  });
});
