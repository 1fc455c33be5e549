import { head } from '../client/connection.js';
import type { CaseGroup, Expected, HostileCase } from '../run/hostile-case.js';
import { BY_NODE, chunk, chunked, CONTENT, GONE, GOOD, KiB, MiB, posted, refused } from './kit.js';

const BYTES = { 'Content-Type': 'application/octet-stream' };
const CHUNKED = { ...BYTES, 'Transfer-Encoding': 'chunked' };
const TAKEN: Expected = { status: 201, files: [{ data: CONTENT }] };

/** Sends these bytes behind the head of a request, then ends in its way. */
function sends(
  name: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  bytes: Buffer | string,
  then: 'waits' | 'resets' | 'half-closes',
  expects: HostileCase['expects'],
): HostileCase {
  return {
    name,
    expects,
    afterwards: then === 'waits' ? undefined : 'unknown',
    attack: async (target) => {
      const connection = await target.connect();
      await connection.send(head(path, { ...BYTES, ...headers }));
      if (bytes.length > 0) await connection.send(bytes);
      if (then === 'resets') connection.reset();
      if (then === 'half-closes') connection.end();
      return connection.reply();
    },
  };
}

const LARGE = { 'Content-Length': String(8 * MiB) };

export const rawBodies: CaseGroup = {
  about: 'a body that is one file',
  oursOnly: true,
  cases: [
    posted('with a length', '/body', CONTENT, TAKEN, BYTES),
    sends('in chunks of one byte', '/body', CHUNKED, chunked(...Array.from(CONTENT)), 'waits', TAKEN),
    posted('that is a form, and stays as it is', '/body', GOOD, { status: 201, files: [{ data: GOOD }] }),
    posted('with a type of garbage', '/body', CONTENT, { status: [201, 415] }, { 'Content-Type': ';;;' }),
    posted('in gzip', '/body', CONTENT, refused(415, 'UNSUPPORTED_CONTENT_ENCODING'), {
      ...BYTES,
      'Content-Encoding': 'gzip',
    }),
    posted('of JSON, which the application parses itself', '/body', '{"a":1}', refused(415, 'BODY_ALREADY_PARSED'), {
      'Content-Type': 'application/json',
    }),
    posted(
      'of 1,000 bytes, where 1,000 are allowed',
      '/body-small',
      Buffer.alloc(1000),
      { status: 201, files: [{ size: 1000 }] },
      BYTES,
    ),
    posted(
      'of 1,001 bytes, where 1,000 are allowed',
      '/body-small',
      Buffer.alloc(1001),
      refused(413, 'LIMIT_FILE_SIZE'),
      BYTES,
    ),
    sends(
      'of 1,001 bytes in chunks, where 1,000 are allowed',
      '/body-small',
      CHUNKED,
      chunked(Buffer.alloc(1000), 'x'),
      'waits',
      refused(413, 'LIMIT_FILE_SIZE'),
    ),
    sends(
      'of which 1 MiB comes, where 1,000 bytes are allowed',
      '/body-small',
      LARGE,
      Buffer.alloc(MiB),
      'waits',
      refused(413, 'LIMIT_FILE_SIZE', { connection: 'close' }),
    ),
    sends('that stalls at once', '/body', LARGE, '', 'waits', refused(408, 'IDLE_TIMEOUT', { connection: 'close' })),
    sends(
      'that stalls in the middle',
      '/body',
      LARGE,
      Buffer.alloc(300 * KiB),
      'waits',
      refused(408, 'IDLE_TIMEOUT', { connection: 'close' }),
    ),
    sends('whose client resets the connection at once', '/body', LARGE, '', 'resets', GONE),
    sends('whose client resets the connection in the middle', '/body', LARGE, Buffer.alloc(300 * KiB), 'resets', GONE),
    sends('whose client closes its half in the middle', '/body', LARGE, Buffer.alloc(300 * KiB), 'half-closes', GONE),
    sends(
      'in chunks, whose client closes its half before the last one',
      '/body',
      CHUNKED,
      chunk(CONTENT),
      'half-closes',
      GONE,
    ),
    sends(
      'in chunks, one of which is none',
      '/body',
      CHUNKED,
      `${chunk(CONTENT).toString()}zz\r\n`,
      'half-closes',
      BY_NODE,
    ),
  ],
};
