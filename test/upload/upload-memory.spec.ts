import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BOUNDARY, file, form, FORM_TYPE, partHead } from './form.js';
import { UploadServerProcess } from './process/upload-server-process.js';

const MiB = 1024 * 1024;

// 1 GiB by hand: UPLOAD_MIB=1024
const size = Number(process.env['UPLOAD_MIB'] ?? 256) * MiB;

describe('An upload much larger than the memory it may take', () => {
  let root: string;
  let server: UploadServerProcess;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'upload-memory-'));
    server = await UploadServerProcess.start(root);
  });

  afterAll(async () => {
    await server.stop();
    await rm(root, { recursive: true });
  });

  /** Posts a form, and gives the answer's body. */
  async function post(body: Readable): Promise<unknown> {
    const outgoing = request({
      port: server.port,
      method: 'POST',
      path: '/upload',
      headers: { 'Content-Type': FORM_TYPE },
    });
    const answered = new Promise<unknown>((resolve, reject) => {
      outgoing.on('error', reject).on('response', (response) => {
        void response.toArray().then((chunks) => {
          resolve(JSON.parse(Buffer.concat(chunks as Buffer[]).toString('utf8')));
        }, reject);
      });
    });
    await Promise.all([pipeline(body, outgoing), answered]);
    return answered;
  }

  it('arrives whole, and the server keeps within 48 MiB over what it had before', async () => {
    for (let round = 0; round < 3; round++) await post(Readable.from([form(file(randomBytes(2 * MiB)))]));
    const { resident } = await server.memory();

    const hash = createHash('sha256');
    const block = randomBytes(4 * MiB);
    function* body(): Generator<Buffer> {
      yield partHead({ name: 'file', filename: 'large.bin' });
      for (let sent = 0; sent < size; sent += block.length) {
        // no block is like the one before
        block.writeUInt32LE(sent / block.length);
        const chunk = Buffer.from(block);
        hash.update(chunk);
        yield chunk;
      }
      yield Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
    }
    const answer = await post(Readable.from(body()));
    const { peak } = await server.memory();

    expect(answer).toMatchObject({ size });
    const stored = createHash('sha256');
    await pipeline(createReadStream(join(root, (answer as { key: string }).key)), stored);
    expect(stored.digest('hex')).toBe(hash.digest('hex'));
    console.log(`${size / MiB} MiB: ${((peak - resident) / MiB).toFixed(1)} MiB over ${(resident / MiB).toFixed(0)}`);
    expect(peak - resident).toBeLessThan(48 * MiB);
  }, 60_000);

  it.each([
    ['field', { name: 'a' }],
    ['file', { name: 'file', filename: 'small.bin' }],
  ])(
    'is no %s of a mebibyte that comes in HTTP chunks of one byte: the server keeps within 48 MiB for four of them',
    async (_what, head) => {
      const chunk = (bytes: Buffer): Buffer =>
        Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
      const body = Buffer.concat([
        Buffer.from(`POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${FORM_TYPE}\r\n`),
        Buffer.from('Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n'),
        chunk(partHead(head)),
        Buffer.from('1\r\na\r\n'.repeat(MiB)),
        chunk(Buffer.from(`\r\n--${BOUNDARY}--\r\n`)),
        Buffer.from('0\r\n\r\n'),
      ]);
      const send = async (): Promise<string> => {
        const socket = connect(server.port, '127.0.0.1');
        socket.write(body);
        return Buffer.concat((await socket.toArray()) as Buffer[]).toString('latin1');
      };
      for (let round = 0; round < 3; round++) await post(Readable.from([form(file(randomBytes(2 * MiB)))]));
      const { resident } = await server.memory();
      for (const answer of await Promise.all([send(), send(), send(), send()]))
        expect(answer).toMatch(/^HTTP\/1.1 201/);
      const { peak } = await server.memory();
      expect(peak - resident).toBeLessThan(48 * MiB);
    },
    60_000,
  );
});
