import { BOUNDARY, field, file, form, partHead } from '../../upload/form.js';
import type { CaseGroup } from '../run/hostile-case.js';
import { CONTENT, GOOD, GOOD_TAKEN, KiB, MiB, posted, refused, taken, UNEXPECTED_END } from './kit.js';

const TOO_MANY = refused(400, 'LIMIT_PART_COUNT', { message: /1000 parts/ });
const b = `--${BOUNDARY}`;

const fields = (count: number, name = (index: number): string => `f${index}`) =>
  Array.from({ length: count }, (_, index) => field(name(index), 'v'));

const named = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, 'v']));

const around = (content: Buffer | string): Buffer => form(file(content));

/** A file whose bytes make a search for the delimiter work hard. */
const laborious = (what: string, pattern: string) => {
  const content = Buffer.alloc(4 * MiB, pattern);
  return posted(`a file of 4 MiB of ${what}`, '/one', around(content), taken([{ size: 4 * MiB }]));
};

export const counts: CaseGroup = {
  about: 'many parts, many bytes',
  cases: [
    posted('1,000 text fields', '/one', form(...fields(1000)), taken([], named(1000))),
    posted('1,001 text fields', '/one', form(...fields(1001)), TOO_MANY),
    posted(
      '999 text fields and a file',
      '/one',
      form(...fields(999), file(CONTENT)),
      taken([{ data: CONTENT }], named(999)),
    ),
    posted('1,000 text fields and a file', '/one', form(...fields(1000), file(CONTENT)), TOO_MANY),
    posted('a file and 1,000 text fields', '/one', form(file(CONTENT), ...fields(1000)), TOO_MANY),
    posted('20,000 text fields', '/one', form(...fields(20_000)), TOO_MANY),
    posted(
      '1,000 text fields of one name',
      '/one',
      form(...fields(1000, () => 'a')),
      taken([], { a: Array(1000).fill('v') }),
    ),
    posted('5,000 empty text fields of one name', '/one', form(...fields(5000, () => 'a')), TOO_MANY),
    posted(
      '2,000 files',
      '/one',
      form(...Array.from({ length: 2000 }, () => file('x'))),
      refused(400, 'LIMIT_UNEXPECTED_FILE'),
    ),
    posted(
      '2,000 empty file inputs',
      '/one',
      form(...Array.from({ length: 2000 }, () => ({ ...file(''), filename: '' }))),
      TOO_MANY,
    ),
    posted('2,000 parts without a header', '/one', `${`${b}\r\n\r\n\r\n`.repeat(2000)}${b}--\r\n`, { status: 400 }),
    posted('20,000 delimiters, one behind the other', '/one', `${`${b}\r\n`.repeat(20_000)}${b}--\r\n`, {
      status: 400,
    }),
    posted(
      '2,000 files under a field that is not taken',
      '/one',
      form(...Array.from({ length: 2000 }, () => file('x', 'no'))),
      refused(400, 'LIMIT_UNEXPECTED_FILE'),
    ),
    posted(
      'a preamble of 4 MiB',
      '/one',
      Buffer.concat([Buffer.alloc(4 * MiB, 'x'), Buffer.from('\r\n'), GOOD]),
      GOOD_TAKEN,
    ),
    posted(
      'a preamble of 4 MiB of line breaks',
      '/one',
      Buffer.concat([Buffer.alloc(4 * MiB, '\r\n'), GOOD]),
      GOOD_TAKEN,
    ),
    posted('a preamble of 4 MiB and nothing else', '/one', Buffer.alloc(4 * MiB, 'x'), UNEXPECTED_END),
    posted('an epilogue of 4 MiB', '/one', Buffer.concat([GOOD, Buffer.alloc(4 * MiB, 'x')]), GOOD_TAKEN),
    posted(
      'an epilogue of 4 MiB of line breaks',
      '/one',
      Buffer.concat([GOOD, Buffer.alloc(4 * MiB, '\r\n')]),
      GOOD_TAKEN,
    ),
    posted(
      'an epilogue of 1 MiB of delimiters',
      '/one',
      Buffer.concat([GOOD, Buffer.alloc(MiB, `${b}\r\n`)]),
      GOOD_TAKEN,
    ),
    laborious('line breaks', '\r\n'),
    laborious('carriage returns', '\r'),
    laborious('dashes', '-'),
    laborious('what begins as a delimiter', '\r\n--X-TEST-BOUNDAR'),
    laborious('delimiters without a line break', `x${b}`),
    laborious('NULs', '\0'),
    posted('a text field of 1 MiB', '/one', form(field('a', 'x'.repeat(MiB))), taken([], { a: 'x'.repeat(MiB) })),
    posted(
      'a text field of 1 MiB and a byte',
      '/one',
      form(field('a', 'x'.repeat(MiB + 1))),
      refused(400, 'LIMIT_FIELD_VALUE'),
    ),
    posted(
      'a text field of 1 MiB of line breaks',
      '/one',
      form(field('a', '\r\n'.repeat(512 * KiB))),
      taken([], { a: '\r\n'.repeat(512 * KiB) }),
    ),
    posted('a text field of 20 MiB', '/one', form(field('a', 'x'.repeat(20 * MiB))), refused(400, 'LIMIT_FIELD_VALUE')),
    posted(
      'a text field of 8 MiB without its end',
      '/one',
      Buffer.concat([partHead({ name: 'a' }), Buffer.alloc(8 * MiB, 'x')]),
      refused(400, 'LIMIT_FIELD_VALUE'),
    ),
    posted(
      '16 text fields of 1 MiB',
      '/one',
      form(...Array.from({ length: 16 }, (_, index) => field(`f${index}`, 'x'.repeat(MiB)))),
      refused(413, 'LIMIT_FIELDS_SIZE'),
    ),
  ],
};
