import { BOUNDARY, field, file, form, FORM_TYPE, type Part } from '../../upload/form.js';
import { head } from '../client/connection.js';
import type { CaseGroup, Expected, HostileCase, Target } from '../run/hostile-case.js';
import { chunked, CONTENT, GOOD, GOOD_TAKEN, shared, taken } from './kit.js';

/** Connections that share the positions of a case. */
const LANES = 8;

interface Form {
  readonly what: string;
  readonly body: Buffer;
  readonly type: string;
  readonly expects: Expected;
}

/** A form with other delimiters than the usual ones. */
function withBoundary(boundary: string, ...parts: readonly Part[]): Pick<Form, 'body' | 'type'> {
  const body = form(...parts)
    .toString('latin1')
    .replaceAll(`--${BOUNDARY}`, `--${boundary}`);
  return { body: Buffer.from(body, 'latin1'), type: `multipart/form-data; boundary="${boundary}"` };
}

const nearly = `\r\n--${BOUNDARY.slice(0, -1)}\r\n--\n\r\n-\r\n--\r\r\n\r\n--X-TEST-BOUNDARX\r\n${BOUNDARY}--\r`;
const dashes = '-\r\n-\r\n--\r\n---\r\n-y\r\n\r';
const around = Buffer.concat([Buffer.from('a preamble\r\nof two lines\r\n'), GOOD, Buffer.from('an\r\nepilogue')]);

const FORMS: readonly Form[] = [
  { what: 'a form', body: GOOD, type: FORM_TYPE, expects: GOOD_TAKEN },
  {
    what: 'a form whose file is full of what is nearly its boundary',
    body: form(field('a', '\r\n-'), file(nearly), field('b', '\r')),
    type: FORM_TYPE,
    expects: taken([{ data: nearly }], { a: '\r\n-', b: '\r' }),
  },
  { what: 'a form with a preamble and an epilogue', body: around, type: FORM_TYPE, expects: GOOD_TAKEN },
  {
    what: 'a form with a boundary of one character',
    ...withBoundary('x', field('a', '--y'), file(dashes)),
    expects: taken([{ data: dashes }], { a: '--y' }),
  },
  {
    what: 'a form with a boundary of 70 characters',
    ...withBoundary('-'.repeat(69) + 'x', field('a', '-'.repeat(72)), file(dashes)),
    expects: taken([{ data: dashes }], { a: '-'.repeat(72) }),
  },
  {
    what: 'a form with a boundary of special characters',
    ...withBoundary("'()+_,-./:=? x", field('a', "--'()+_,-./:=?"), file(CONTENT)),
    expects: taken([{ data: CONTENT }], { a: "--'()+_,-./:=?" }),
  },
  {
    what: 'a form of nothing but empty values',
    body: form(field('a', ''), file('', 'file', 'empty.txt'), field('b', '')),
    type: FORM_TYPE,
    expects: taken([{ data: '', originalname: 'empty.txt' }], { a: '', b: '' }),
  },
  {
    what: 'a form in UTF-8',
    body: form(field('ü', '漢字'), file('😀', 'file', '😀 ü.txt')),
    type: FORM_TYPE,
    expects: taken([{ data: '😀', originalname: '😀 ü.txt' }], { ü: '漢字' }),
  },
];

/** Sends the form once for each way to cut it. */
function cut(
  name: string,
  { type, expects }: Form,
  cuts: readonly (readonly Buffer[])[],
  send: (pieces: readonly Buffer[]) => {
    readonly headers: Readonly<Record<string, string>>;
    readonly writes: readonly Buffer[];
  },
): HostileCase {
  return {
    name,
    expects,
    within: 20_000,
    attack: async (target: Target) => {
      const lanes = Math.min(LANES, cuts.length);
      const connections = await Promise.all(Array.from({ length: lanes }, () => target.connect()));
      return shared(cuts, lanes, async (lane, pieces) => {
        const connection = connections[lane];
        if (connection === undefined) throw new RangeError('There is no such lane.');
        const { headers, writes } = send(pieces);
        await connection.send(head('/one', { 'Content-Type': type, ...headers }));
        for (const bytes of writes) await connection.send(bytes);
        return connection.reply();
      });
    },
  };
}

const everySplit = (body: Buffer): Buffer[][] =>
  Array.from({ length: body.length + 1 }, (_, at) => [body.subarray(0, at), body.subarray(at)]);

const everyByte = (body: Buffer): Buffer[] => Array.from(body, (_, at) => body.subarray(at, at + 1));

const everySeventh = (body: Buffer): Buffer[] =>
  Array.from({ length: Math.ceil(body.length / 7) }, (_, at) => body.subarray(at * 7, at * 7 + 7));

/** As the kernel cuts it: each write is a packet of its own, and the parser may still get two of them at once. */
const asWrites = (pieces: readonly Buffer[]) => ({
  headers: { 'Content-Length': String(pieces.reduce((sum, { length }) => sum + length, 0)) },
  writes: pieces,
});

/** As HTTP cuts it: the parser gets each chunk by itself, whatever the kernel does. */
const asChunks = (pieces: readonly Buffer[]) => ({
  headers: { 'Transfer-Encoding': 'chunked' },
  writes: [chunked(...pieces)],
});

/** The bytes of the chunked encoding itself come one at a time. */
const asChunksByBytes = (pieces: readonly Buffer[]) => ({
  headers: { 'Transfer-Encoding': 'chunked' },
  writes: everyByte(chunked(...pieces)),
});

export const splits: CaseGroup = {
  about: 'a form, however its bytes come',
  cases: [
    ...FORMS.map((one) => cut(`${one.what} in two chunks, split at every byte`, one, everySplit(one.body), asChunks)),
    ...FORMS.map((one) => cut(`${one.what} in chunks of one byte`, one, [everyByte(one.body)], asChunks)),
    ...FORMS.slice(0, 2).flatMap((one) => [
      cut(`${one.what} in two writes, split at every byte`, one, everySplit(one.body), asWrites),
      cut(`${one.what} in writes of one byte`, one, [everyByte(one.body)], asWrites),
      cut(`${one.what} in chunks of seven bytes`, one, [everySeventh(one.body)], asChunks),
    ]),
    ...FORMS.slice(0, 1).map((one) =>
      cut(
        `${one.what} in chunks whose encoding comes a byte at a time`,
        one,
        [everySeventh(one.body)],
        asChunksByBytes,
      ),
    ),
  ],
};
