import { BOUNDARY, FORM_TYPE, partHead } from '../../upload/form.js';
import { head, type Headers } from '../client/connection.js';
import type { CaseGroup, Expected, HostileCase } from '../run/hostile-case.js';
import { chunk, KiB, MiB, refused } from './kit.js';

/** What a client sends before it is cut off; what came so far was more than enough to refuse it. */
const MOST = 64 * MiB;

/**
 * Sends the same piece for ever, and reads only what comes meanwhile: the answer must come while it is sending, and must announce the
 * end of the connection.
 */
function endless(
  name: string,
  path: string,
  start: Buffer | string,
  piece: Buffer | string,
  expects: Expected,
  headers: Headers = {},
): HostileCase {
  return {
    name,
    expects: { ...expects, connection: 'close' },
    attack: async (target) => {
      const connection = await target.connect();
      await connection.send(head(path, { 'Transfer-Encoding': 'chunked', ...headers }));
      if (start.length > 0) await connection.send(chunk(start));
      const state = { answered: false };
      const reply = connection.reply().finally(() => {
        state.answered = true;
      });
      const again = chunk(piece);
      for (let sent = 0; !state.answered && sent < MOST; sent += again.length) {
        if (!(await connection.send(again))) break;
        // lets the answer in between
        await new Promise((resolve) => setImmediate(resolve));
      }
      const answer = await reply;
      connection.end();
      return answer;
    },
  };
}

const BLOCK = Buffer.alloc(64 * KiB, 'x');
const FILE = partHead({ name: 'file', filename: 'a.bin' });
const part = (header: string): string => `--${BOUNDARY}\r\n${header}\r\n\r\n`;

export const endlessBodies: CaseGroup = {
  about: 'bodies without end',
  cases: [
    endless('a file over its limit', '/limit/fileSize', FILE, BLOCK, refused(413, 'LIMIT_FILE_SIZE')),
    endless('files over their limit together', '/limit/totalSize', FILE, BLOCK, refused(413, 'LIMIT_TOTAL_SIZE')),
    endless('a text field', '/one', partHead({ name: 'a' }), BLOCK, refused(400, 'LIMIT_FIELD_VALUE')),
    endless(
      'text fields',
      '/one',
      '',
      `${part('Content-Disposition: form-data; name="a"')}x\r\n`.repeat(100),
      refused(400, 'LIMIT_PART_COUNT'),
    ),
    endless(
      'large text fields',
      '/one',
      '',
      `${part('Content-Disposition: form-data; name="a"')}${'x'.repeat(512 * KiB)}\r\n`,
      refused(413, 'LIMIT_FIELDS_SIZE'),
    ),
    endless(
      'a header of a part',
      '/one',
      `--${BOUNDARY}\r\nX: `,
      BLOCK,
      refused(400, 'MULTIPART_MALFORMED_PART_HEADER'),
    ),
    endless(
      'header lines of a part',
      '/one',
      `--${BOUNDARY}\r\n`,
      'X: y\r\n'.repeat(1000),
      refused(400, 'MULTIPART_MALFORMED_PART_HEADER'),
    ),
    endless(
      'a file name',
      '/one',
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="`,
      BLOCK,
      refused(400, 'MULTIPART_MALFORMED_PART_HEADER'),
    ),
    endless(
      'a file under a field that is not taken',
      '/one',
      partHead({ name: 'other', filename: 'a.bin' }),
      BLOCK,
      refused(400, 'LIMIT_UNEXPECTED_FILE'),
    ),
    endless(
      'a second file where one is taken',
      '/one',
      Buffer.concat([FILE, Buffer.from('x\r\n'), FILE]),
      BLOCK,
      refused(400, 'LIMIT_UNEXPECTED_FILE'),
    ),
    endless(
      'a file behind a part that is malformed',
      '/one',
      Buffer.concat([Buffer.from(part('no colon')), FILE]),
      BLOCK,
      refused(400, 'MULTIPART_MALFORMED_PART_HEADER'),
    ),
    endless('a body of another multipart type', '/one', FILE, BLOCK, refused(415, 'UNSUPPORTED_MEDIA_TYPE'), {
      'Content-Type': `multipart/mixed; boundary=${BOUNDARY}`,
    }),
    endless('a body without a boundary', '/one', FILE, BLOCK, refused(400, 'MULTIPART_BOUNDARY_NOT_FOUND'), {
      'Content-Type': 'multipart/form-data',
    }),
    endless('a body in gzip', '/one', FILE, BLOCK, refused(415, 'UNSUPPORTED_CONTENT_ENCODING'), {
      'Content-Type': FORM_TYPE,
      'Content-Encoding': 'gzip',
    }),
    endless('a file of a type that is not allowed', '/images', FILE, BLOCK, refused(415, 'UNSUPPORTED_FILE_TYPE')),
    {
      name: 'a refused body of 10 GiB, of which a part is sent',
      expects: refused(413, 'LIMIT_FILE_SIZE', { connection: 'close' }),
      attack: async (target) => {
        const connection = await target.connect();
        await connection.send(head('/limit/fileSize', { 'Content-Length': String(10 * 1024 * MiB) }));
        await connection.send(Buffer.concat([FILE, BLOCK]));
        return connection.reply();
      },
    },
  ],
};
