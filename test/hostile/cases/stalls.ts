import { setTimeout as delay } from 'node:timers/promises';
import { file, form, partHead } from '../../upload/form.js';
import { head } from '../client/connection.js';
import type { CaseGroup, HostileCase } from '../run/hostile-case.js';
import { IDLE_TIMEOUT_MS } from '../server/agreed.js';
import { chunk, CONTENT, GOOD, GOOD_TAKEN, KiB, refused } from './kit.js';

/** A slow client's time between two pieces, in milliseconds: it waits for nothing, it is slow by nature. */
const BETWEEN = IDLE_TIMEOUT_MS / 12;

const TIMED_OUT = refused(408, 'IDLE_TIMEOUT', { connection: 'close' });

const HEAD = head('/idle', { 'Content-Length': String(GOOD.length) });
const LONG_HEAD = head('/idle', { 'Content-Length': String(8 * 1024 * KiB) });
const upTo = (text: string): string =>
  HEAD + GOOD.subarray(0, GOOD.indexOf(text) + Math.ceil(text.length / 2)).toString();
const FILE_HEAD = partHead({ name: 'file', filename: 'a.bin' });

const STAGES: readonly (readonly [where: string, sent: Buffer | string])[] = [
  ['behind the headers', HEAD],
  ['in the first delimiter', upTo('--X-TEST')],
  ['in the header of a part', upTo('filename="a.bin"')],
  ['in a file', upTo(CONTENT)],
  ['in a file of 300 KiB', Buffer.concat([Buffer.from(LONG_HEAD), FILE_HEAD, Buffer.alloc(300 * KiB)])],
  ['in the closing delimiter', upTo('--X-TEST-BOUNDARY--')],
  ['behind the closing delimiter, before the end of the body', Buffer.concat([Buffer.from(LONG_HEAD), GOOD])],
  [
    'in a chunk',
    Buffer.concat([Buffer.from(head('/idle', { 'Transfer-Encoding': 'chunked' })), Buffer.from('ffff\r\n'), FILE_HEAD]),
  ],
  [
    'between two chunks',
    Buffer.concat([Buffer.from(head('/idle', { 'Transfer-Encoding': 'chunked' })), chunk(FILE_HEAD), chunk('xyz')]),
  ],
  [
    'before the last chunk',
    Buffer.concat([Buffer.from(head('/idle', { 'Transfer-Encoding': 'chunked' })), chunk(GOOD)]),
  ],
];

const stalled = ([where, sent]: readonly [string, Buffer | string]): HostileCase => ({
  name: `a client that stalls ${where}`,
  expects: TIMED_OUT,
  attack: async (target) => {
    const connection = await target.connect();
    await connection.send(sent);
    return connection.reply();
  },
});

/** Sends these pieces with a pause behind each. */
const slow = (name: string, pieces: readonly (Buffer | string)[]): HostileCase => ({
  name,
  expects: GOOD_TAKEN,
  attack: async (target) => {
    for (;;) {
      const connection = await target.connect();
      let longest = 0;
      for (const piece of pieces) {
        const before = performance.now();
        await connection.send(piece);
        await delay(BETWEEN);
        longest = Math.max(longest, performance.now() - before);
      }
      const reply = await connection.reply();
      // a client that was held up by its own machine was not slow but stood still: whatever it was answered, it begins anew
      if (longest < IDLE_TIMEOUT_MS / 2) return reply;
      connection.destroy();
    }
  },
});

const inPieces = (count: number): Buffer[] => {
  const size = Math.ceil(GOOD.length / count);
  return Array.from({ length: count }, (_, index) => GOOD.subarray(index * size, index * size + size));
};

export const stalls: CaseGroup = {
  about: 'slow clients',
  cases: [
    ...STAGES.map(stalled),
    slow('a client that is slow and does not stall', [HEAD, ...inPieces(18)]),
    slow('a client that is slow in its chunks', [
      head('/idle', { 'Transfer-Encoding': 'chunked' }),
      ...inPieces(16).map(chunk),
      '0\r\n\r\n',
    ]),
    {
      name: 'a client that stalls and then goes on after its answer',
      expects: TIMED_OUT,
      attack: async (target) => {
        const connection = await target.connect();
        await connection.send(HEAD + GOOD.subarray(0, 50).toString());
        const reply = await connection.reply();
        await connection.send(GOOD.subarray(50));
        return reply;
      },
    },
    {
      name: 'twenty clients that stall at once',
      expects: TIMED_OUT,
      attack: (target) =>
        Promise.all(
          Array.from({ length: 20 }, async (_, index) => {
            const connection = await target.connect();
            await connection.send(
              Buffer.concat([Buffer.from(LONG_HEAD), form(file(Buffer.alloc(index * 9 * KiB))).subarray(0, -4)]),
            );
            return connection.reply();
          }),
        ),
    },
    {
      name: 'a client that resets the connection while it stalls',
      expects: { status: 'closed' },
      attack: async (target) => {
        const connection = await target.connect();
        await connection.send(HEAD + GOOD.subarray(0, 50).toString());
        await delay(BETWEEN);
        connection.reset();
        return connection.reply();
      },
    },
  ],
};
