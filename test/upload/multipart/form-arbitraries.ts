import * as fc from 'fast-check';
import { utf8 } from './told-cases.js';

/** A part of a random form. Bytes are one character each. */
export interface RandomPart {
  readonly name: string;
  readonly filename: string | undefined;
  readonly mimeType: string | undefined;
  readonly encoding: string | undefined;
  readonly content: string;
}

export interface RandomForm {
  readonly boundary: string;
  readonly parts: readonly RandomPart[];
  readonly preamble: string;
  readonly epilogue: string;
}

/** How many random bodies a property is held against: more for a night. */
export const FUZZ_RUNS = Number(process.env['UPLOAD_FUZZ_RUNS'] ?? 1000);

const BOUNDARY_UNITS = Array.from("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ");

export const boundaries = fc.oneof(
  fc.constantFrom('B', '-', '--', 'B--', 'b'.repeat(70), '-'.repeat(70), 'ab'.repeat(35), '----WebKitFormBoundaryA1'),
  fc
    .string({ unit: fc.constantFrom(...BOUNDARY_UNITS), minLength: 1, maxLength: 70 })
    .filter((boundary) => !boundary.endsWith(' ')),
);

/** What brings a parser into doubt. */
const fragmentsOf = (boundary: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom('\r\n', '\r', '\n', '-', '--', '\r\n--', '\r\n-', ' ', '\t', '\r\n\r\n', '--\r\n', '\0', 'x'),
    fc.constantFrom(boundary, `--${boundary}`, `\n--${boundary}`, `\r\n-${boundary}`),
    fc.nat(boundary.length).map((length) => `\r\n--${boundary.slice(0, length)}`),
  );

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array).toString('latin1'));

/** Content that has all the beginnings of a delimiter, and no whole boundary at the beginning of a line. */
const contentOf = (boundary: string): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fragmentsOf(boundary), bytes), { maxLength: 8 })
    .map((fragments) => fragments.join(''))
    .filter((content) => !`\r\n${content}`.includes(`\r\n--${boundary}`));

// what no header can have is left out
const names = fc.string({ unit: 'binary', maxLength: 12 }).map((name) => name.replace(/[\0\r\n]/g, ''));

const partOf = (boundary: string): fc.Arbitrary<RandomPart> =>
  fc.record({
    name: names,
    filename: fc.option(names, { nil: undefined }),
    mimeType: fc.constantFrom(undefined, 'text/plain', 'image/png', 'application/octet-stream'),
    encoding: fc.constantFrom(undefined, 'binary', '8bit'),
    content: contentOf(boundary),
  });

export const forms: fc.Arbitrary<RandomForm> = boundaries.chain((boundary) =>
  fc.record({
    boundary: fc.constant(boundary),
    parts: fc.array(partOf(boundary), { maxLength: 4 }),
    preamble: fc.option(contentOf(boundary), { nil: '', freq: 2 }).map((text) => (text === '' ? '' : `${text}\r\n`)),
    epilogue: fc.option(contentOf(boundary), { nil: '', freq: 2 }),
  }),
);

const quoted = (name: string): string => `"${utf8(name).replace(/["\\]/g, '\\$&')}"`;

export function written({ boundary, parts, preamble, epilogue }: RandomForm): string {
  const texts = parts.map(({ name, filename, mimeType, encoding, content }) =>
    [
      `--${boundary}`,
      `Content-Disposition: form-data; name=${quoted(name)}${filename === undefined ? '' : `; filename=${quoted(filename)}`}`,
      ...(mimeType === undefined ? [] : [`Content-Type: ${mimeType}`]),
      ...(encoding === undefined ? [] : [`Content-Transfer-Encoding: ${encoding}`]),
      '',
      `${content}\r\n`,
    ].join('\r\n'),
  );
  return `${preamble}${texts.join('')}--${boundary}--\r\n${epilogue}`;
}

/** Lengths of chunks, to be used in turn. */
export const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 200 })), {
  minLength: 1,
  maxLength: 8,
});

const HEADER_FRAGMENTS = [
  ':',
  ';',
  '"',
  '\\',
  '=',
  '\r\n ',
  '\r\nX: ',
  '; name="b"',
  'filename*=',
  "UTF-8''%C3%BC",
  '\xff',
  '\x01',
];

/** A form with up to four changes of its bytes: some inserted, replaced, taken out, said twice, or cut off at the end. */
export const mutations: fc.Arbitrary<{ readonly boundary: string; readonly body: string }> = forms
  .chain((form) =>
    fc.record({
      form: fc.constant(form),
      changes: fc.array(
        fc.record({
          kind: fc.constantFrom('insert', 'insert', 'replace', 'replace', 'remove', 'repeat', 'cut'),
          // of the whole body, or of its beginning, where the headers are
          place: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()),
          length: fc.integer({ min: 1, max: 12 }),
          text: fc.oneof(fragmentsOf(form.boundary), fc.constantFrom(...HEADER_FRAGMENTS), bytes),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  )
  .map(({ form, changes }) => {
    let body = written(form);
    for (const { kind, place, length, text } of changes) {
      const at = Math.floor(place[0] * (place[1] ? Math.min(body.length, 150) : body.length));
      const [before, behind] = [body.slice(0, at), body.slice(at)];
      if (kind === 'insert') body = before + text + behind;
      else if (kind === 'replace') body = before + text + behind.slice(text.length);
      else if (kind === 'remove') body = before + behind.slice(length);
      else if (kind === 'repeat') body = before + behind.slice(0, length * 10) + behind;
      else body = before;
    }
    return { boundary: form.boundary, body };
  });
