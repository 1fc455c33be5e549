import { BOUNDARY, FORM_TYPE } from '../../upload/form.js';
import { head, type Headers } from '../client/connection.js';
import type { CaseGroup, Expected, HostileCase } from '../run/hostile-case.js';
import {
  BY_NODE,
  chunk,
  chunked,
  CONTENT,
  GONE,
  GOOD,
  GOOD_TAKEN,
  LAST_CHUNK,
  posted,
  refused,
  UNEXPECTED_END,
} from './kit.js';

function afterwardsOf(expects: Expected | readonly Expected[]): HostileCase['afterwards'] {
  if (expects === BY_NODE) return 'ends';
  return [expects].flat().some(({ status }) => [status].flat().includes('closed')) ? 'unknown' : undefined;
}

/** Raw bytes over a connection that nothing else comes over; so many answers are read. */
function raw(
  name: string,
  bytes: Buffer | string,
  expects: Expected | readonly Expected[],
  end: 'halfClose' | 'wait' = 'wait',
): HostileCase {
  const answers = Array.isArray(expects) ? expects.length : 1;
  return {
    name,
    expects,
    afterwards: afterwardsOf(expects),
    attack: async (target) => {
      const connection = await target.connect();
      void connection.send(bytes);
      if (end === 'halfClose') connection.end();
      const replies = [];
      for (let index = 0; index < answers; index++) replies.push(await connection.reply());
      return replies;
    },
  };
}

const good = (headers: Headers, body: Buffer = GOOD, path = '/one'): Buffer =>
  Buffer.concat([Buffer.from(head(path, headers)), body]);

const length = String(GOOD.length);
const CHUNKED = { 'Transfer-Encoding': 'chunked' };

/** A good form behind a line of HTTP that Node refuses. */
const byNode = (what: string, headers: Headers, body: Buffer = GOOD): HostileCase =>
  raw(what, good(headers, body), BY_NODE);

export const lengths: CaseGroup = {
  about: 'lengths',
  cases: [
    raw(
      'a Content-Length that is too short: the rest is another request, and no good one',
      good({ 'Content-Length': String(GOOD.length - 40) }),
      GONE,
    ),
    raw('a Content-Length of one byte', good({ 'Content-Length': '1' }), GONE),
    raw(
      'a Content-Length that is too long, and a half-closed connection',
      good({ 'Content-Length': String(GOOD.length + 40) }),
      GONE,
      'halfClose',
    ),
    {
      name: 'a Content-Length that is too long, and a client that gives up',
      expects: [],
      attack: async (target) => {
        const connection = await target.connect();
        await connection.send(good({ 'Content-Length': String(GOOD.length + 40) }));
        connection.destroy();
        return [];
      },
    },
    posted('a Content-Length of zero', '/one', '', UNEXPECTED_END),
    raw('a Content-Length of zero before a body', good({ 'Content-Length': '0' }), GONE),
    raw('no length before a body', good({}), GONE),
    byNode('a negative Content-Length', { 'Content-Length': '-1' }),
    byNode('a Content-Length with a plus sign', { 'Content-Length': `+${length}` }),
    byNode('a Content-Length of hexadecimal digits', { 'Content-Length': '0x10' }),
    byNode('a Content-Length of words', { 'Content-Length': 'many' }),
    byNode('a list of lengths', { 'Content-Length': `${length}, ${length}` }),
    byNode('a Content-Length beyond 64 bits', { 'Content-Length': '99999999999999999999999' }),
    byNode('two lengths that differ', { 'Content-Length': length, 'content-length': String(GOOD.length - 10) }),
    byNode('the same length twice', { 'Content-Length': length, 'content-length': length }),
    byNode('a length and a chunked body', { 'Content-Length': length, ...CHUNKED }, chunked(GOOD)),
    byNode('a chunked body and a length', { ...CHUNKED, 'Content-Length': length }, chunked(GOOD)),
    raw(
      'HTTP/1.0 with a length',
      good({ 'Content-Length': length }).toString().replace('HTTP/1.1', 'HTTP/1.0'),
      GOOD_TAKEN,
    ),
    raw('HTTP/1.0 without a length', good({}).toString().replace('HTTP/1.1', 'HTTP/1.0'), GONE),
    raw('no Host', good({ 'Content-Length': length }).toString().replace('Host: localhost\r\n', ''), BY_NODE),
    raw(
      'a version that is none',
      good({ 'Content-Length': length }).toString().replace('HTTP/1.1', 'HTTP/9.9'),
      BY_NODE,
    ),
  ],
};

const half = Math.floor(GOOD.length / 2);

export const chunks: CaseGroup = {
  about: 'chunked bodies',
  cases: [
    raw('in one chunk', good(CHUNKED, chunked(GOOD)), GOOD_TAKEN),
    raw(
      'with trailers',
      good(CHUNKED, Buffer.concat([chunk(GOOD), Buffer.from('0\r\nX-Trailer: y\r\nX-Other: z\r\n\r\n')])),
      GOOD_TAKEN,
    ),
    raw(
      'with a length in its trailers',
      good(CHUNKED, Buffer.concat([chunk(GOOD), Buffer.from('0\r\nContent-Length: 3\r\n\r\n')])),
      { ...GOOD_TAKEN, status: [201, 400, 'closed'] },
    ),
    raw(
      'with extensions',
      good(
        CHUNKED,
        Buffer.concat([
          Buffer.from(`${GOOD.length.toString(16)};a=b;c="d e"\r\n`),
          GOOD,
          Buffer.from(`\r\n${LAST_CHUNK}`),
        ]),
      ),
      GOOD_TAKEN,
    ),
    raw(
      'with a size of leading zeros',
      good(
        CHUNKED,
        Buffer.concat([Buffer.from(`0000000${GOOD.length.toString(16)}\r\n`), GOOD, Buffer.from(`\r\n${LAST_CHUNK}`)]),
      ),
      GOOD_TAKEN,
    ),
    raw(
      'with a size in capitals',
      good(
        CHUNKED,
        Buffer.concat([
          Buffer.from(`${GOOD.length.toString(16).toUpperCase()}\r\n`),
          GOOD,
          Buffer.from(`\r\n${LAST_CHUNK}`),
        ]),
      ),
      GOOD_TAKEN,
    ),
    raw('in the type Chunked', good({ 'Transfer-Encoding': 'Chunked' }, chunked(GOOD)), GOOD_TAKEN),
    raw('of nothing', good(CHUNKED, Buffer.from(LAST_CHUNK)), UNEXPECTED_END),
    raw(
      'that ends by its last chunk in the middle of the form',
      good(CHUNKED, chunked(GOOD.subarray(0, half))),
      UNEXPECTED_END,
    ),
    raw('with a size that is none', good(CHUNKED, Buffer.from('xyz\r\n')), BY_NODE),
    raw('with a negative size', good(CHUNKED, Buffer.from('-1\r\n')), BY_NODE),
    raw('with a size beyond 64 bits', good(CHUNKED, Buffer.from('fffffffffffffffff\r\n')), BY_NODE),
    raw(
      'with a size and then garbage',
      good(CHUNKED, Buffer.concat([chunk(GOOD.subarray(0, half)), Buffer.from('zz\r\n')])),
      BY_NODE,
    ),
    raw(
      'with a chunk that is longer than its size',
      good(CHUNKED, Buffer.concat([Buffer.from('5\r\n'), GOOD])),
      BY_NODE,
    ),
    raw('with an extension of 64 KiB', good(CHUNKED, Buffer.from(`5;${'x'.repeat(65_536)}\r\n`)), BY_NODE),
    raw(
      'with trailers of 64 KiB',
      good(CHUNKED, Buffer.concat([chunk(GOOD), Buffer.from(`0\r\nX: ${'y'.repeat(65_536)}\r\n\r\n`)])),
      BY_NODE,
    ),
    raw('without its last chunk, and half-closed', good(CHUNKED, chunk(GOOD)), GONE, 'halfClose'),
    raw(
      'half-closed inside of a chunk',
      good(CHUNKED, Buffer.concat([Buffer.from('ffff\r\n'), GOOD])),
      GONE,
      'halfClose',
    ),
    raw(
      'half-closed inside of a size',
      good(CHUNKED, Buffer.concat([chunk(GOOD.subarray(0, half)), Buffer.from('1')])),
      GONE,
      'halfClose',
    ),
    byNode('in an encoding that is not known', { 'Transfer-Encoding': 'xchunked' }),
    byNode('in an encoding and then not chunked', { 'Transfer-Encoding': 'chunked, gzip' }, chunked(GOOD)),
    {
      name: 'pipelined behind another one, whose next request begins in the same packet',
      expects: [GOOD_TAKEN, GOOD_TAKEN],
      attack: async (target) => {
        const connection = await target.connect();
        void connection.send(
          Buffer.concat([good(CHUNKED, chunked(GOOD)), good(CHUNKED, chunked(GOOD.subarray(0, 9), GOOD.subarray(9)))]),
        );
        return [await connection.reply(), await connection.reply()];
      },
    },
  ],
};

const coded = (encoding: string, expects: Expected): HostileCase =>
  posted(`Content-Encoding: ${encoding}`, '/one', GOOD, expects, { 'Content-Encoding': encoding });

const NOT_CODED = refused(415, 'UNSUPPORTED_CONTENT_ENCODING');

/** Waits for the interim answer before it sends the body, as curl does. */
function expecting(name: string, headers: Headers, body: Buffer, expects: Expected, path = '/one'): HostileCase {
  return {
    name,
    expects,
    attack: async (target) => {
      const connection = await target.connect();
      await connection.send(head(path, { 'Content-Length': String(body.length), Expect: '100-continue', ...headers }));
      await connection.interimOrFinal();
      if (connection.interim.length > 0) void connection.send(body);
      return connection.reply();
    },
  };
}

export const negotiation: CaseGroup = {
  about: 'headers of the request',
  cases: [
    coded('gzip', NOT_CODED),
    coded('GZIP', NOT_CODED),
    coded('deflate', NOT_CODED),
    coded('br', NOT_CODED),
    coded('gzip, identity', NOT_CODED),
    coded('identity, gzip', NOT_CODED),
    coded('x-unknown', NOT_CODED),
    coded('identity', GOOD_TAKEN),
    expecting('Expect: 100-continue', {}, GOOD, GOOD_TAKEN),
    expecting(
      'Expect: 100-continue before another multipart type',
      { 'Content-Type': `multipart/mixed; boundary=${BOUNDARY}` },
      GOOD,
      refused(415, 'UNSUPPORTED_MEDIA_TYPE'),
    ),
    expecting('Expect: 100-continue before a body without its end', {}, GOOD.subarray(0, -4), UNEXPECTED_END),
    raw('an expectation that is not known', good({ 'Content-Length': length, Expect: 'a-miracle' }), {
      status: [201, 417, 'closed'],
    }),
    raw('headers of 64 KiB', good({ 'Content-Length': length, 'X-Long': 'y'.repeat(65_536) }), BY_NODE),
    raw('20,000 header lines', `POST /one HTTP/1.1\r\nHost: localhost\r\n${'X: y\r\n'.repeat(20_000)}\r\n`, BY_NODE),
    raw('a NUL in a header', good({ 'Content-Length': length, 'X-Nul': 'a\0b' }), BY_NODE),
    raw(
      'a bare line feed in a header',
      `POST /one HTTP/1.1\nHost: localhost\nContent-Type: ${FORM_TYPE}\nContent-Length: ${length}\n\n${GOOD.toString()}`,
      { status: [201, 400, 'closed'] },
    ),
    raw(
      'garbage instead of a request',
      Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 'latin1'),
      BY_NODE,
    ),
    raw('a request to upgrade', good({ 'Content-Length': length, Connection: 'Upgrade', Upgrade: 'h2c' }), {
      status: [201, 400, 'closed'],
    }),
    raw('Connection: close', good({ 'Content-Length': length, Connection: 'close' }), {
      ...GOOD_TAKEN,
      connection: 'close',
    }),
    posted(
      'the method GET with a form',
      '/one',
      GOOD,
      { status: [201, 404] },
      {},
      {
        attack: async (target) => {
          const connection = await target.connect();
          void connection.send(Buffer.concat([Buffer.from(head('/one', { 'Content-Length': length }, 'GET')), GOOD]));
          return connection.reply();
        },
      },
    ),
    posted('a route that there is not', '/nowhere', GOOD, { status: [404, 415] }),
  ],
};

const bytesOf = (path: string, body: Buffer | string): Buffer =>
  good({ 'Content-Length': String(Buffer.byteLength(body)) }, Buffer.from(body), path);

/** Several requests in one write, and their answers in order. */
function pipelined(
  name: string,
  requests: readonly Buffer[],
  expects: readonly Expected[],
  afterwards?: HostileCase['afterwards'],
): HostileCase {
  return {
    name,
    expects,
    afterwards,
    attack: async (target) => {
      const connection = await target.connect();
      void connection.send(Buffer.concat(requests));
      const replies = [];
      for (const _ of expects) replies.push(await connection.reply());
      return replies;
    },
  };
}

const GOOD_REQUEST = bytesOf('/one', GOOD);
const TRUNCATED = bytesOf('/one', GOOD.subarray(0, -10));
const WRONG_TYPE = good({ 'Content-Length': length, 'Content-Type': 'multipart/mixed; boundary=x' });
const PING = Buffer.from('GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n');

export const pipelines: CaseGroup = {
  about: 'several requests in one write',
  cases: [
    pipelined('two good ones', [GOOD_REQUEST, GOOD_REQUEST], [GOOD_TAKEN, GOOD_TAKEN]),
    pipelined('a good one and a truncated one', [GOOD_REQUEST, TRUNCATED], [GOOD_TAKEN, UNEXPECTED_END]),
    pipelined('a truncated one and a good one', [TRUNCATED, GOOD_REQUEST], [UNEXPECTED_END, GOOD_TAKEN]),
    pipelined(
      'one that is refused before its body is read and a good one',
      [WRONG_TYPE, GOOD_REQUEST],
      [refused(415, 'UNSUPPORTED_MEDIA_TYPE'), GOOD_TAKEN],
    ),
    pipelined('a good one and one that is no upload', [GOOD_REQUEST, PING], [GOOD_TAKEN, { status: 200 }]),
    pipelined(
      'one whose handler fails and a good one',
      [bytesOf('/throws', GOOD), GOOD_REQUEST],
      [{ status: 418 }, GOOD_TAKEN],
    ),
    pipelined('ten good ones', Array<Buffer>(10).fill(GOOD_REQUEST), Array<Expected>(10).fill(GOOD_TAKEN)),
    pipelined('ten truncated ones', Array<Buffer>(10).fill(TRUNCATED), Array<Expected>(10).fill(UNEXPECTED_END)),
    // Node ends the connection at once, the request in front of the garbage too
    pipelined(
      'a good one and garbage',
      [GOOD_REQUEST, Buffer.from('garbage\r\n\r\n')],
      [{ status: [201, 400, 'closed'] }],
      'unknown',
    ),
    {
      name: 'a good one and half of another one, whose client goes',
      expects: GOOD_TAKEN,
      attack: async (target) => {
        const connection = await target.connect();
        void connection.send(Buffer.concat([GOOD_REQUEST, GOOD_REQUEST.subarray(0, -30)]));
        const reply = await connection.reply();
        connection.destroy();
        return reply;
      },
    },
    pipelined(
      'a form that has another request in a file',
      [bytesOf('/one', GOOD.toString().replace(CONTENT, GOOD_REQUEST.toString().replaceAll(BOUNDARY, 'inner')))],
      [{ status: 201 }],
    ),
  ],
};
