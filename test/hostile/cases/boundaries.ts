import { BOUNDARY, field, file, form, partHead } from '../../upload/form.js';
import type { CaseGroup, Expected, HostileCase } from '../run/hostile-case.js';
import { BOUNDARY_NOT_FOUND, CONTENT, GOOD, GOOD_TAKEN, posted, refused, taken, UNEXPECTED_END } from './kit.js';

const NOT_A_FORM = refused(415, 'UNSUPPORTED_MEDIA_TYPE');

/** A good form, whose Content-Type has this boundary and no more. */
function delimited(
  boundary: string,
  parameter: string,
  expects: Expected,
): readonly [string, string, string, Expected] {
  return [boundary, parameter, GOOD.toString('latin1').replaceAll(BOUNDARY, boundary), expects];
}

const types: readonly (readonly [what: string, type: string, expects: Expected])[] = [
  ['a boundary in quotes', `multipart/form-data; boundary="${BOUNDARY}"`, GOOD_TAKEN],
  ['a boundary with a quoted pair', `multipart/form-data; boundary="X-TEST\\-BOUNDARY"`, GOOD_TAKEN],
  ['a type in capitals', `MULTIPART/Form-Data; BOUNDARY=${BOUNDARY}`, GOOD_TAKEN],
  ['no space before the boundary', `multipart/form-data;boundary=${BOUNDARY}`, GOOD_TAKEN],
  ['spaces and tabs around the semicolon', `multipart/form-data \t ; \t boundary=${BOUNDARY}`, GOOD_TAKEN],
  ['a semicolon at the end', `multipart/form-data; boundary=${BOUNDARY};`, GOOD_TAKEN],
  ['a charset before the boundary', `multipart/form-data; charset=utf-8; boundary=${BOUNDARY}`, GOOD_TAKEN],
  ['a charset of UTF-7 after the boundary', `multipart/form-data; boundary=${BOUNDARY}; charset=utf-7`, GOOD_TAKEN],
  ['a boundary inside of another parameter', `multipart/form-data; x="boundary=y"; boundary=${BOUNDARY}`, GOOD_TAKEN],
  ['no boundary', 'multipart/form-data', BOUNDARY_NOT_FOUND],
  ['an empty boundary', 'multipart/form-data; boundary=', BOUNDARY_NOT_FOUND],
  ['an empty boundary in quotes', 'multipart/form-data; boundary=""', BOUNDARY_NOT_FOUND],
  ['two boundaries', `multipart/form-data; boundary=${BOUNDARY}; boundary=y`, BOUNDARY_NOT_FOUND],
  ['the same boundary twice', `multipart/form-data; boundary=${BOUNDARY}; boundary=${BOUNDARY}`, BOUNDARY_NOT_FOUND],
  [
    'two boundaries in letters of either case',
    `multipart/form-data; boundary=y; Boundary=${BOUNDARY}`,
    BOUNDARY_NOT_FOUND,
  ],
  ['a boundary that ends with a space', 'multipart/form-data; boundary="x "', BOUNDARY_NOT_FOUND],
  ['a boundary with a tab', 'multipart/form-data; boundary="a\tb"', BOUNDARY_NOT_FOUND],
  ['a boundary beyond ASCII', 'multipart/form-data; boundary="\xfc\xe9"', BOUNDARY_NOT_FOUND],
  ['a boundary with a quote that never ends', `multipart/form-data; boundary="${BOUNDARY}`, BOUNDARY_NOT_FOUND],
  ['a boundary in brackets', 'multipart/form-data; boundary=[x]', BOUNDARY_NOT_FOUND],
  ['an extended boundary (RFC 2231)', `multipart/form-data; boundary*=utf-8''${BOUNDARY}`, BOUNDARY_NOT_FOUND],
  [
    'a boundary in pieces (RFC 2231)',
    'multipart/form-data; boundary*0=X-TEST; boundary*1=-BOUNDARY',
    BOUNDARY_NOT_FOUND,
  ],
  ['a comma and another type', `multipart/form-data; boundary=${BOUNDARY}, text/plain`, BOUNDARY_NOT_FOUND],
  ['300 characters', `multipart/form-data; boundary=${BOUNDARY}; x=${'y'.repeat(253)}`, BOUNDARY_NOT_FOUND],
  ['10,000 characters', `multipart/form-data; x="${'\\"'.repeat(4978)}"`, BOUNDARY_NOT_FOUND],
  ['the type multipart/mixed', `multipart/mixed; boundary=${BOUNDARY}`, NOT_A_FORM],
  ['the type multipart/form-data-x', `multipart/form-data-x; boundary=${BOUNDARY}`, NOT_A_FORM],
  // it is none, which Fastify says before any interceptor does
  ['the type multipart/', `multipart/; boundary=${BOUNDARY}`, { status: 415 }],
  ['the type multipart/related and no boundary', 'multipart/related', NOT_A_FORM],
];

const lengths = [
  delimited('x', 'x', GOOD_TAKEN),
  delimited('y'.repeat(70), 'y'.repeat(70), GOOD_TAKEN),
  delimited('y'.repeat(71), 'y'.repeat(71), BOUNDARY_NOT_FOUND),
  delimited("'()+_,-./:=?", `"'()+_,-./:=?"`, GOOD_TAKEN),
  delimited('a b', '"a b"', GOOD_TAKEN),
  delimited('a/b:c', 'a/b:c', GOOD_TAKEN),
] as const;

const noForms: readonly HostileCase[] = [
  posted('an object of JSON where a file is required', '/required', '{"a":1}', NOT_A_FORM, {
    'Content-Type': 'application/json',
  }),
  posted('fields of a URL where a file is required', '/required', 'a=1', NOT_A_FORM, {
    'Content-Type': 'application/x-www-form-urlencoded',
  }),
  posted('an object of JSON where no file is required', '/one', '{"a":1}', taken([], { a: 1 }), {
    'Content-Type': 'application/json',
  }),
  posted('broken JSON', '/one', '{"a":', { status: 400 }, { 'Content-Type': 'application/json' }),
  posted('a form that says it is JSON', '/one', GOOD, { status: 400 }, { 'Content-Type': 'application/json' }),
  posted(
    'a form that says it is text, where a file is required',
    '/required',
    GOOD,
    { status: 415 },
    {
      'Content-Type': `text/plain; boundary=${BOUNDARY}`,
    },
  ),
  posted(
    'a form with a type of garbage, where a file is required',
    '/required',
    GOOD,
    { status: 415 },
    {
      'Content-Type': ';;;',
    },
  ),
  posted(
    'a form with an empty type, where a file is required',
    '/required',
    GOOD,
    { status: 415 },
    {
      'Content-Type': '',
    },
  ),
];

const b = `--${BOUNDARY}`;
const start = partHead({ name: 'file', filename: 'a.bin' }).toString();
/** A form with one file of this content, that may be more than its content. */
const around = (content: string): string => `${start}${content}\r\n${b}--\r\n`;

const bodies: readonly (readonly [what: string, body: string | Buffer, expects: Expected])[] = [
  ['the delimiter inside a line of a file', around(`x${b}y`), taken([{ data: `x${b}y` }])],
  ['the delimiter after a line feed alone', around(`x\n${b}\ny`), taken([{ data: `x\n${b}\ny` }])],
  ['the delimiter after a carriage return alone', around(`x\r${b}\ry`), taken([{ data: `x\r${b}\ry` }])],
  ['a boundary without its dashes', around(`x\r\n${BOUNDARY}\r\ny`), taken([{ data: `x\r\n${BOUNDARY}\r\ny` }])],
  // the rest of the file must not get lost in silence
  [
    'a delimiter with a letter behind it',
    around(`x\r\n${b}X\r\ny`),
    { status: [201, 400], files: [{ data: `x\r\n${b}X\r\ny` }] },
  ],
  [
    'a delimiter with one dash behind it',
    around(`x\r\n${b}-\r\ny`),
    { status: [201, 400], files: [{ data: `x\r\n${b}-\r\ny` }] },
  ],
  [
    'a delimiter with spaces behind it',
    GOOD.toString().replaceAll(`${b}\r\n`, `${b} \t\r\n`),
    { ...GOOD_TAKEN, status: [201, 400] },
  ],
  ['another boundary than its type says', GOOD.toString().replaceAll(BOUNDARY, 'other'), UNEXPECTED_END],
  ['a longer boundary than its type says', GOOD.toString().replaceAll(BOUNDARY, `${BOUNDARY}1`), { status: 400 }],
  ['no byte', '', UNEXPECTED_END],
  ['one dash', '-', UNEXPECTED_END],
  ['only a delimiter', b, UNEXPECTED_END],
  ['only a delimiter and its line', `${b}\r\n`, UNEXPECTED_END],
  ['only the closing delimiter', `${b}--\r\n`, taken()],
  ['only the closing delimiter, without a line break', `${b}--`, taken()],
  ['two closing delimiters', `${GOOD.toString()}${b}--\r\n`, GOOD_TAKEN],
  ['a second form behind it', `${GOOD.toString()}${GOOD.toString()}`, GOOD_TAKEN],
  ['a closing delimiter with one dash', GOOD.subarray(0, -3), UNEXPECTED_END],
  ['no closing delimiter', GOOD.subarray(0, GOOD.lastIndexOf('\r\n--')), UNEXPECTED_END],
  ['a delimiter in the place of the closing one', `${GOOD.subarray(0, -4).toString()}\r\n`, UNEXPECTED_END],
  ['line feeds alone', GOOD.toString().replaceAll('\r\n', '\n'), { status: 400 }],
  ['a preamble', `a preamble\r\n${GOOD.toString()}`, GOOD_TAKEN],
  ['a line break before the first delimiter', `\r\n${GOOD.toString()}`, GOOD_TAKEN],
  ['an epilogue that looks like a part', `${GOOD.toString()}${start}x`, GOOD_TAKEN],
  [
    'a form in a field',
    form(field('a', GOOD.toString().replaceAll(BOUNDARY, 'inner')), file(CONTENT)),
    {
      ...taken([{ data: CONTENT }], { a: GOOD.toString().replaceAll(BOUNDARY, 'inner') }),
    },
  ],
];

export const boundaries: CaseGroup = {
  about: 'boundaries and delimiters',
  cases: [
    ...types.map(([what, type, expects]) =>
      posted(`a Content-Type with ${what}`, '/one', GOOD, expects, { 'Content-Type': type }),
    ),
    ...lengths.map(([boundary, parameter, body, expects]) =>
      posted(
        `the boundary ${boundary.length > 20 ? `of ${boundary.length} characters` : parameter}`,
        '/one',
        body,
        expects,
        { 'Content-Type': `multipart/form-data; boundary=${parameter}` },
      ),
    ),
    ...noForms,
    ...bodies.map(([what, body, expects]) => posted(`a body with ${what}`, '/one', body, expects)),
  ],
};
