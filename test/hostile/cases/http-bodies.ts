import type { CaseGroup } from '../run/hostile-case.js';
import { BY_NODE, chunk, chunked, GONE, GOOD, GOOD_TAKEN, LAST_CHUNK, posted, UNEXPECTED_END } from './kit.js';
import { byNode, CHUNKED, good, length, raw } from './raw-request.js';

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
