import { BOUNDARY, field, file, form } from '../../upload/form.js';
import type { CaseGroup, Expected } from '../run/hostile-case.js';
import { CONTENT, KiB, MALFORMED_HEADER, posted, refused, taken } from './kit.js';

const DISPOSITION = 'Content-Disposition: form-data; name="file"; filename="a.bin"';
const FIELD = 'Content-Disposition: form-data; name="a"';
const FILE_TAKEN = taken([{ data: CONTENT, fieldname: 'file' }]);
const EITHER: Expected = { ...FILE_TAKEN, status: [201, 400] };

/** A form of one part with these header lines. */
const part = (header: string, content = CONTENT): Buffer =>
  Buffer.from(`--${BOUNDARY}\r\n${header}\r\n\r\n${content}\r\n--${BOUNDARY}--\r\n`, 'latin1');

/** Header lines of exactly so many bytes, their last line break included. */
function headerOf(bytes: number): string {
  const start = `${DISPOSITION}\r\nX-Long: `;
  return start + 'a'.repeat(bytes - start.length - 2);
}

const lines = (count: number, line = (index: number): string => `X-${index}: y`): string =>
  [DISPOSITION, ...Array.from({ length: count }, (_, index) => line(index))].join('\r\n');

const headers: readonly (readonly [what: string, header: string, expects: Expected])[] = [
  ['15 KiB', headerOf(15 * KiB), FILE_TAKEN],
  ['16 KiB', headerOf(16 * KiB), EITHER],
  ['16 KiB and 100 bytes', headerOf(16 * KiB + 100), MALFORMED_HEADER],
  ['17 KiB', headerOf(17 * KiB), MALFORMED_HEADER],
  ['1 MiB', headerOf(1024 * KiB), MALFORMED_HEADER],
  ['1 MiB without a colon', `${DISPOSITION}\r\n${'a'.repeat(1024 * KiB)}`, MALFORMED_HEADER],
  ['100 lines', lines(99), FILE_TAKEN],
  ['101 lines', lines(100), MALFORMED_HEADER],
  ['100 lines and a folded one', lines(99) + '\r\n z', MALFORMED_HEADER],
  ['5,000 lines', lines(5000), MALFORMED_HEADER],
  ['5,000 lines of one name', lines(5000, () => 'X: y'), MALFORMED_HEADER],
  ['20,000 folded lines', `${DISPOSITION}\r\nX: y${'\r\n z'.repeat(20_000)}`, MALFORMED_HEADER],
  ['a folded line', 'Content-Disposition: form-data;\r\n name="file";\r\n\tfilename="a.bin"', EITHER],
  ['a first line that is folded', ` ${DISPOSITION}`, { status: 400 }],
  ['no colon', `${DISPOSITION}\r\nX-Header`, MALFORMED_HEADER],
  ['no name before its colon', `${DISPOSITION}\r\n: y`, MALFORMED_HEADER],
  ['a space in a name', `${DISPOSITION}\r\nX Header: y`, MALFORMED_HEADER],
  ['a space before its colon', 'Content-Disposition : form-data; name="file"; filename="a.bin"', MALFORMED_HEADER],
  ['a NUL in a name', `${DISPOSITION}\r\nX\0: y`, MALFORMED_HEADER],
  ['a NUL in a value', `${DISPOSITION}\r\nX: y\0z`, MALFORMED_HEADER],
  [
    'a NUL in a file name',
    DISPOSITION.replace('a.bin', 'a\0.bin'),
    { status: [201, 400], files: [{ originalname: 'a.bin' }] },
  ],
  ['a bare line feed', `${DISPOSITION}\nX: y`, MALFORMED_HEADER],
  ['a bare carriage return', `${DISPOSITION}\rX: y`, MALFORMED_HEADER],
  ['an escape character in a value', `${DISPOSITION}\r\nX: \x1b[2J`, { ...FILE_TAKEN, status: [201, 400] }],
  ['bytes beyond ASCII in a name', `${DISPOSITION}\r\nX-\xfc: y`, MALFORMED_HEADER],
  ['names in capitals', DISPOSITION.toUpperCase().replace('"FILE"', '"file"'), FILE_TAKEN],
  ['no space behind its colon', DISPOSITION.replace(': ', ':'), FILE_TAKEN],
  ['a name without quotes', 'Content-Disposition: form-data; name=file; filename=a.bin', FILE_TAKEN],
  ['a quote that never ends', 'Content-Disposition: form-data; name="file; filename=a.bin', { status: 400 }],
  ['no name', 'Content-Disposition: form-data; filename="a.bin"', refused(400, 'MISSING_FIELD_NAME')],
  ['an empty name', 'Content-Disposition: form-data; name=""; filename="a.bin"', refused(400, 'MISSING_FIELD_NAME')],
  ['two names', `${DISPOSITION}; name="other"`, EITHER],
  ['two file names', `${DISPOSITION}; filename="b.bin"`, EITHER],
  ['two dispositions', `${DISPOSITION}\r\n${FIELD}`, EITHER],
  ['10,000 parameters', DISPOSITION + '; x=y'.repeat(10_000), MALFORMED_HEADER],
  ['3,000 parameters', DISPOSITION + '; x=y'.repeat(3000), EITHER],
  ['the disposition attachment', DISPOSITION.replace('form-data', 'attachment'), { status: 400 }],
  ['no disposition', 'Content-Type: text/plain', { status: 400 }],
  ['no line', '', { status: 400 }],
  ['the encoding base64', `${DISPOSITION}\r\nContent-Transfer-Encoding: base64`, FILE_TAKEN],
  ['an encoding of garbage', `${DISPOSITION}\r\nContent-Transfer-Encoding: ${'x'.repeat(500)}`, FILE_TAKEN],
  ['a type of garbage', `${DISPOSITION}\r\nContent-Type: ;;;===`, FILE_TAKEN],
  ['a type of 10 KiB', `${DISPOSITION}\r\nContent-Type: text/${'x'.repeat(10 * KiB)}`, FILE_TAKEN],
  ['a length of its own that lies', `${DISPOSITION}\r\nContent-Length: 3`, FILE_TAKEN],
];

export const partHeaders: CaseGroup = {
  about: 'headers of parts',
  cases: [
    ...headers.map(([what, header, expects]) =>
      posted(`a part whose header has ${what}`, '/one', part(header), expects),
    ),
    posted(
      'a text field without a name',
      '/one',
      part('Content-Disposition: form-data', 'x'),
      refused(400, 'MISSING_FIELD_NAME'),
    ),
    posted(
      'a text field with an empty name',
      '/one',
      part('Content-Disposition: form-data; name=""', 'x'),
      refused(400, 'MISSING_FIELD_NAME'),
    ),
    posted(
      'a text field in a charset that is not known',
      '/one',
      part(`${FIELD}\r\nContent-Type: text/plain; charset=klingon`, 'x'),
      MALFORMED_HEADER,
    ),
    posted(
      'a text field in Latin-1',
      '/one',
      part(`${FIELD}\r\nContent-Type: text/plain; charset=iso-8859-1`, '\xfc'),
      taken([], { a: 'ü' }),
    ),
    posted('a text field that is no UTF-8', '/one', part(FIELD, '\xfc\xff'), taken([], { a: '\ufffd\ufffd' })),
    posted('a text field of NULs', '/one', part(FIELD, '\0\0'), taken([], { a: '\0\0' })),
    posted(
      'a field that is an object of JSON',
      '/one',
      part(`${FIELD}\r\nContent-Type: application/json`, '{"__proto__":{"x":1}}'),
      taken([], { a: '{"__proto__":{"x":1}}' }),
    ),
    posted('a file input that was left empty', '/one', form({ ...file(''), filename: '' }), taken()),
    posted(
      'an empty file input where a file is required',
      '/required',
      form({ ...file(''), filename: '' }),
      refused(400, 'MISSING_FILE'),
    ),
    posted(
      'a file without a name',
      '/one',
      form({ ...file(CONTENT), filename: '' }),
      taken([{ data: CONTENT, originalname: '' }]),
    ),
    posted(
      'a form without the file that is required',
      '/required',
      form(field('a', '1')),
      refused(400, 'MISSING_FILE', { message: /"file"/ }),
    ),
    posted(
      'a text field in the place of the file that is required',
      '/required',
      form(field('file', '1')),
      refused(400, 'MISSING_FILE'),
    ),
  ],
};
