import { BOUNDARY, FORM_TYPE } from '../../upload/form.js';
import { head, type Headers } from '../client/connection.js';
import type { CaseGroup, Expected, HostileCase } from '../run/hostile-case.js';
import { BY_NODE, CONTENT, GOOD, GOOD_TAKEN, posted, refused, UNEXPECTED_END } from './kit.js';
import { good, length, raw } from './raw-request.js';

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
