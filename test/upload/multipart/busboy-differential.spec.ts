import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MultipartParser } from '../../../lib/upload/multipart/multipart-parser.js';
import { FUZZ_RUNS, forms, mutations, written } from './form-arbitraries.js';
import { type BusboyForm, type BusboyPart, readByBusboy } from './read-by-busboy.js';
import { Recorder, type ToldPart } from './read-form.js';
import { DISPOSITION, filled, headed } from './told-cases.js';

/** A part of ours by the words of busboy, which knows no empty names, and a file by its name or by its type. */
function inBusboysWords({ name, filename, encoding, mimeType = 'text/plain', content }: ToldPart): BusboyPart {
  const fileName = filename === '' ? undefined : filename;
  const kind = fileName !== undefined || mimeType === 'application/octet-stream' ? 'file' : 'field';
  return { kind, name: name === '' ? undefined : name, filename: fileName, encoding, mimeType, content };
}

function readByOurs(boundary: string, body: Buffer): BusboyForm & { complaint: string | undefined } {
  const recorder = new Recorder();
  const parser = new MultipartParser(boundary, recorder);
  parser.write(body);
  parser.end();
  const { parts, last } = recorder.form;
  const complaint = recorder.error?.message;
  return { parts: parts.filter(({ ended }) => ended).map(inBusboysWords), failed: last !== 'end', complaint };
}

/** A kind of bodies that the two are meant to tell differently. */
interface Difference {
  readonly name: string;
  /** A body of it, with the boundary `B`. */
  readonly example: string;
  matches(body: string, boundary: string): boolean;
}

/** All that busboy refuses in a header but for what we refuse too: NUL, CR, LF. */
const CONTROL = /(?![\0\t\r\n\x80-\x9f])\p{Cc}/u;

const inHeaders = (pattern: RegExp) => (body: string, boundary: string) =>
  headersOf(body, boundary).some((header) => pattern.test(header));

const DIFFERENCES: readonly Difference[] = [
  {
    // RFC 2046 lets white space follow a boundary. And a line that only begins like a delimiter is content to us: a boundary that
    // another one begins with must not end its parts. busboy ends the part at any boundary, and drops what follows.
    name: 'a boundary with something else behind it than CRLF or two dashes',
    example: filled('x\r\n--BX'),
    matches: (body, boundary) =>
      boundariesOf(body, boundary).some((end) => !/^(?:\r\n|--)/.test(body.slice(end, end + 2))),
  },
  {
    // RFC 2046 lets a part end with its header; a header without its empty line is malformed. busboy searches for the boundary first,
    // and takes what follows it for the rest of the header.
    name: 'a boundary within a header',
    example: `--B\r\n${DISPOSITION}\r\n\r\n--B--`,
    matches: (body, boundary) =>
      boundariesOf(body, boundary).some((end) => {
        const next = `\r\n${body}`.indexOf(`\r\n--${boundary}`, end + 2);
        const headerEnd = body.indexOf('\r\n\r\n', end);
        return body.startsWith('\r\n', end) && next >= 0 && (headerEnd < 0 || next - 2 <= headerEnd + 2);
      }),
  },
  {
    // RFC 2046 has it ignored. busboy goes on with what it has of it in the same chunk, so that its parts depend on the chunks.
    name: 'a boundary in the epilogue',
    example: filled('x') + filled('y').replace('--B--\r\n', filled('z')),
    matches: (body, boundary) =>
      boundariesOf(body, boundary)
        .slice(0, -1)
        .some((end) => body.startsWith('--', end)),
  },
  {
    // They may stand in a quoted string, and browsers put those of a file's name there (RFC 9110, section 5.5, lets us keep them).
    name: 'control characters in a header',
    example: headed('Content-Disposition: form-data; name="a\x01"'),
    matches: inHeaders(CONTROL),
  },
  {
    // RFC 9110, section 5.6.6, allows it; busboy drops the part, or forgets its type.
    name: 'a semicolon without a parameter',
    example: headed(`${DISPOSITION};`),
    matches: inHeaders(/;[ \t]*(?:\r\n[ \t]+)*(?:;|\r\n|$)/),
  },
  {
    // RFC 5322 folds anywhere; busboy keeps the space of the fold before the disposition, and drops the part.
    name: 'a value that begins with a fold',
    example: headed('Content-Disposition:', ' form-data; name="a"'),
    matches: inHeaders(/:[ \t]*\r\n[ \t]/),
  },
  {
    // What cannot be read of RFC 8187 is ignored where a filename is beside it. busboy drops the part; and it takes any charset.
    name: 'an extended parameter',
    example: headed(`${DISPOSITION}; filename="f"; filename*=UTF-8''%`),
    matches: (body, boundary) => headersOf(body, boundary).some((header) => header.includes('*=')),
  },
  {
    // busboy replaces them by U+FFFD.
    name: 'bytes that are no UTF-8 in a name',
    example: headed('Content-Disposition: form-data; name="\xff"'),
    matches: (body, boundary) =>
      headersOf(body, boundary).some((header) => Buffer.from(header, 'latin1').toString('utf8').includes('\ufffd')),
  },
  {
    // The type is there, whatever follows it; busboy says text/plain.
    name: 'parameters of a type that cannot be read',
    example: headed(DISPOSITION, 'Content-Type: image/png; x'),
    matches: inHeaders(/content-type:[^\r]*;/i),
  },
];

/** Refused by us, where busboy skips the part, or takes one of two values: those before must be the same all the same. */
const REFUSED_BY_US =
  /no Content-Disposition of form-data|Content-Disposition that cannot be read|one of its fields twice|filename\* that/;

/** Where each boundary that begins a line ends. */
function boundariesOf(body: string, boundary: string): number[] {
  const ends: number[] = [];
  const lines = `\r\n${body}`;
  const needle = `\r\n--${boundary}`;
  for (let at = lines.indexOf(needle); at >= 0; at = lines.indexOf(needle, at + needle.length)) {
    ends.push(at + needle.length - 2);
  }
  return ends;
}

function headersOf(body: string, boundary: string): string[] {
  return boundariesOf(body, boundary)
    .filter((end) => body.startsWith('\r\n', end))
    .map((end) => body.slice(end, !body.includes('\r\n\r\n', end) ? undefined : body.indexOf('\r\n\r\n', end)));
}

describe('Beside busboy 1.6', () => {
  it('a form is told the same', async () => {
    await fc.assert(
      fc.asyncProperty(forms, async (form) => {
        const body = Buffer.from(written(form), 'latin1');
        fc.pre(!inHeaders(CONTROL)(body.toString('latin1'), form.boundary));
        const { complaint: _, ...ours } = readByOurs(form.boundary, body);
        expect(ours).toEqual(await readByBusboy(form.boundary, body));
      }),
      { numRuns: FUZZ_RUNS },
    );
  });

  const counts = new Map<string, number>();
  const count = (name: string): void => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  };

  it('a form that was changed at random is told the same, but for the differences below', async () => {
    await fc.assert(
      fc.asyncProperty(mutations, async ({ boundary, body }) => {
        const intended = DIFFERENCES.filter(({ matches }) => matches(body, boundary));
        for (const { name } of intended) count(name);
        if (intended.length > 0) return;
        const bytes = Buffer.from(body, 'latin1');
        const { complaint, ...ours } = readByOurs(boundary, bytes);
        const busboys = await readByBusboy(boundary, bytes);
        if (complaint !== undefined && REFUSED_BY_US.test(complaint)) {
          count('refused by ours');
          expect(busboys.parts.slice(0, ours.parts.length)).toEqual(ours.parts);
        } else {
          count(ours.failed ? 'the same failure' : 'the same form');
          expect(ours).toEqual(busboys);
        }
      }),
      { numRuns: FUZZ_RUNS },
    );
    // else the differences would hide what they are not meant to
    expect((counts.get('the same form') ?? 0) + (counts.get('the same failure') ?? 0)).toBeGreaterThan(FUZZ_RUNS / 2);
  });

  it.each(DIFFERENCES)('differs on purpose: $name', async ({ example, matches }) => {
    const body = Buffer.from(example, 'latin1');
    expect(matches(example, 'B')).toBe(true);
    const { complaint: _, ...ours } = readByOurs('B', body);
    expect(ours).not.toEqual(await readByBusboy('B', body));
  });
});
