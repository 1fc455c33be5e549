import { field, file, form, partHead } from '../../upload/form.js';
import { head, type Connection } from '../client/connection.js';
import type { CaseGroup, Expected, HostileCase } from '../run/hostile-case.js';
import { chunk, CONTENT, GONE, GOOD, GOOD_TAKEN, KiB, MiB, UNEXPECTED_END } from './kit.js';

/** The ways in which a client can leave. */
const WAYS = {
  'resets the connection': (connection: Connection) => {
    connection.reset();
  },
  'closes the connection': (connection: Connection) => {
    connection.destroy();
  },
  'closes its half of the connection': (connection: Connection) => {
    connection.end();
  },
} as const satisfies Readonly<Record<string, (connection: Connection) => void>>;

const LARGE = 8 * MiB;
const LARGE_HEAD = head('/one', { 'Content-Length': String(LARGE) });
const FILE_HEAD = Buffer.concat([
  partHead({ name: 'a' }),
  Buffer.from('1\r\n'),
  partHead({ name: 'file', filename: 'a.bin' }),
]);

const inFile = (bytes: number): Buffer => Buffer.concat([Buffer.from(LARGE_HEAD), FILE_HEAD, Buffer.alloc(bytes, 'x')]);
const upTo = (text: string): Buffer => {
  const at = GOOD.indexOf(text) + Math.ceil(text.length / 2);
  return Buffer.concat([Buffer.from(head('/one', { 'Content-Length': String(GOOD.length) })), GOOD.subarray(0, at)]);
};

/** What a client has sent when it leaves. */
const STAGES: readonly (readonly [stage: string, sent: Buffer | string])[] = [
  ['at once', ''],
  ['in the request line', 'POST /one HT'],
  ['after the request line', 'POST /one HTTP/1.1\r\n'],
  ['in the headers', LARGE_HEAD.slice(0, -10)],
  ['after the headers', LARGE_HEAD],
  ['in the first delimiter', `${LARGE_HEAD}--X-TEST`],
  ['in the header of a text field', upTo('form-data; name="a"')],
  ['in the header of a file', upTo('filename="a.bin"')],
  ['before the first byte of a file', inFile(0)],
  ['after one byte of a file', inFile(1)],
  ['after 1 KiB of a file', inFile(KiB)],
  ['after 70 KiB of a file', inFile(70 * KiB)],
  ['after 300 KiB of a file', inFile(300 * KiB)],
  ['after 4 MiB of a file', inFile(4 * MiB)],
  [
    'in a chunk of a file',
    Buffer.concat([
      Buffer.from(head('/one', { 'Transfer-Encoding': 'chunked' })),
      chunk(FILE_HEAD),
      Buffer.from('ffff\r\n'),
      Buffer.alloc(100),
    ]),
  ],
  [
    'between two chunks of a file',
    Buffer.concat([
      Buffer.from(head('/one', { 'Transfer-Encoding': 'chunked' })),
      chunk(FILE_HEAD),
      chunk(Buffer.alloc(100 * KiB)),
    ]),
  ],
  ['behind a file', upTo(`${CONTENT}\r\n--X-TEST-BOUNDARY\r\n`)],
  ['in the closing delimiter', upTo('--X-TEST-BOUNDARY--')],
  ['after the closing delimiter and before the end of the body', Buffer.concat([Buffer.from(LARGE_HEAD), GOOD])],
  [
    'in the middle of a second file',
    Buffer.concat([
      Buffer.from(LARGE_HEAD),
      form(file(Buffer.alloc(100 * KiB))).subarray(0, -4),
      Buffer.from('\r\n'),
      FILE_HEAD,
      Buffer.alloc(100),
    ]),
  ],
];

function aborts(): HostileCase[] {
  return STAGES.flatMap(([stage, sent]) =>
    Object.entries(WAYS).map(([way, leave]) => ({
      name: `a client that ${way} ${stage}`,
      expects: GONE,
      afterwards: 'unknown',
      attack: async (target) => {
        const connection = await target.connect();
        if (sent.length > 0) await connection.send(sent);
        leave(connection);
        return connection.reply();
      },
    })),
  );
}

/** Leaves while the handler runs: the form is whole and was found good. */
const duringHandler = (path: string, way: keyof typeof WAYS): HostileCase => ({
  name: `a client that ${way} while the handler of ${path} runs`,
  expects: [],
  attack: async (target) => {
    const connection = await target.connect();
    await connection.send(Buffer.concat([Buffer.from(head(path, { 'Content-Length': String(GOOD.length) })), GOOD]));
    await target.untilHandlerRuns();
    WAYS[way](connection);
    // a half-closed connection is still there for the answer
    if (!connection.socket.destroyed) connection.destroy();
    return [];
  },
});

const GOOD_REQUEST = Buffer.concat([Buffer.from(head('/one', { 'Content-Length': String(GOOD.length) })), GOOD]);

/** Sends a whole request, and never reads. */
function deaf(name: string, requests: number, leave: (connection: Connection) => void): HostileCase {
  return {
    name,
    expects: [],
    attack: async (target) => {
      const connection = await target.connect();
      connection.socket.pause();
      for (let index = 0; index < requests; index++) await connection.send(GOOD_REQUEST);
      leave(connection);
      return [];
    },
  };
}

const halfClosed = (name: string, request: Buffer, expects: Expected): HostileCase => ({
  name,
  expects,
  attack: async (target) => {
    const connection = await target.connect();
    await connection.send(request);
    connection.end();
    return connection.reply();
  },
});

const TRUNCATED = GOOD.subarray(0, -10);

export const abortedUploads: CaseGroup = {
  about: 'clients that leave',
  cases: [
    ...aborts(),
    duringHandler('/slow', 'resets the connection'),
    duringHandler('/slow', 'closes the connection'),
    duringHandler('/slow-late', 'resets the connection'),
    duringHandler('/slow-late', 'closes the connection'),
    deaf('a client that resets the connection behind a whole form', 1, WAYS['resets the connection']),
    deaf('a client that closes the connection behind a whole form', 1, WAYS['closes the connection']),
    deaf('a client that resets the connection behind a hundred whole forms', 100, WAYS['resets the connection']),
    // Node closes such a connection by itself (httpAllowHalfOpen): whether the answer is out by then is a race
    halfClosed('a client that closes its half behind a whole form', GOOD_REQUEST, {
      ...GOOD_TAKEN,
      status: [201, 'closed'],
    }),
    halfClosed(
      'a client that closes its half behind a truncated form of the right length',
      Buffer.concat([Buffer.from(head('/one', { 'Content-Length': String(TRUNCATED.length) })), TRUNCATED]),
      { ...UNEXPECTED_END, status: [400, 'closed'] },
    ),
    {
      name: 'fifty clients that reset their connections in a file, at once',
      expects: { status: 'closed' },
      attack: (target) =>
        Promise.all(
          Array.from({ length: 50 }, async (_, index) => {
            const connection = await target.connect();
            await connection.send(inFile(index * 10 * KiB));
            connection.reset();
            return connection.reply();
          }),
        ),
    },
    {
      name: 'a client that resets the connection in the second of two requests',
      expects: GOOD_TAKEN,
      attack: async (target) => {
        const connection = await target.connect();
        const reply = await connection.post('/one', GOOD);
        await connection.send(inFile(100 * KiB));
        connection.reset();
        return reply;
      },
    },
    {
      name: 'a client that leaves while its refused body is thrown away',
      expects: [],
      attack: async (target) => {
        const connection = await target.connect();
        const start = form(field('a', '1')).subarray(0, -6);
        await connection.send(
          Buffer.concat([
            Buffer.from(head('/limit/fileSize', { 'Content-Length': String(LARGE) })),
            start,
            Buffer.from('\r\n'),
            FILE_HEAD,
            Buffer.alloc(200 * KiB),
          ]),
        );
        connection.reset();
        return [];
      },
    },
  ],
};
