import { field, file, form, type Part } from '../../upload/form.js';
import type { CaseGroup, Expected, HostileCase } from '../run/hostile-case.js';
import { CONTENT, KiB, posted, refused, taken } from './kit.js';

/** A limit met exactly, and exceeded by one. */
function met(limit: string, exactly: readonly Part[], over: readonly Part[], refusal: Expected): HostileCase[] {
  const path = `/limit/${limit}`;
  return [
    posted(`${limit}, met exactly`, path, form(...exactly), { status: 201 }),
    posted(`${limit}, exceeded by one`, path, form(...over), refusal),
  ];
}

const bytes = (count: number): Part => file(Buffer.alloc(count, 'x'));
const fields = (count: number): Part[] => Array.from({ length: count }, (_, index) => field(`f${index}`, 'v'));

/** A field with so many header lines, its disposition among them. */
const withHeaderLines = (count: number): string =>
  form(field('a', 'v'))
    .toString()
    .replace('\r\n\r\n', `\r\n${'X: y\r\n'.repeat(count - 1)}\r\n`);

export const limits: CaseGroup = {
  about: 'limits',
  cases: [
    ...met(
      'fileSize',
      [bytes(1000)],
      [bytes(1001)],
      refused(413, 'LIMIT_FILE_SIZE', { message: /"file".*1000 bytes/ }),
    ),
    ...met('minFileSize', [bytes(100)], [bytes(99)], refused(400, 'FILE_TOO_SMALL', { message: /"file".*100 bytes/ })),
    ...met(
      'totalSize',
      [bytes(1500), bytes(500)],
      [bytes(1500), bytes(501)],
      refused(413, 'LIMIT_TOTAL_SIZE', { message: /2000 bytes/ }),
    ),
    ...met(
      'files',
      [bytes(1), bytes(1)],
      [bytes(1), bytes(1), bytes(1)],
      refused(400, 'LIMIT_FILE_COUNT', { message: /2 files/ }),
    ),
    ...met('fields', fields(3), fields(4), refused(400, 'LIMIT_FIELD_COUNT', { message: /3 text fields/ })),
    ...met(
      'parts',
      [...fields(3), bytes(1)],
      [...fields(4), bytes(1)],
      refused(400, 'LIMIT_PART_COUNT', { message: /4 parts/ }),
    ),
    ...met(
      'fieldNameSize',
      [field('n'.repeat(10), 'v')],
      [field('n'.repeat(11), 'v')],
      refused(400, 'LIMIT_FIELD_KEY', { message: /10 bytes/ }),
    ),
    ...met(
      'fieldSize',
      [field('a', 'v'.repeat(100))],
      [field('a', 'v'.repeat(101))],
      refused(400, 'LIMIT_FIELD_VALUE', { message: /"a".*100 bytes/ }),
    ),
    ...met(
      'fieldsSize',
      [field('a', 'v'.repeat(100)), field('b', 'v'.repeat(100))],
      [field('a', 'v'.repeat(100)), field('b', 'v'.repeat(101))],
      refused(413, 'LIMIT_FIELDS_SIZE', { message: /200 bytes/ }),
    ),
    ...met(
      'fieldNestingDepth',
      [field('a[b][c][d]', 'v')],
      [field('a[b][c][d][e]', 'v')],
      refused(400, 'LIMIT_FIELD_NESTING'),
    ),
    ...met(
      'fieldArrayIndexLimit',
      [field('a[10]', 'v')],
      [field('a[11]', 'v')],
      refused(400, 'LIMIT_FIELD_ARRAY_INDEX'),
    ),
    posted('headerPairs, met exactly', '/limit/headerPairs', withHeaderLines(5), { status: 201 }),
    posted(
      'headerPairs, exceeded by one',
      '/limit/headerPairs',
      withHeaderLines(6),
      refused(400, 'MULTIPART_MALFORMED_PART_HEADER'),
    ),
    posted(
      'fileSize, met exactly by a file behind which nothing comes',
      '/limit/fileSize',
      form(bytes(1000)).subarray(0, -4),
      refused(400, 'MULTIPART_UNEXPECTED_END_OF_FORM'),
    ),
    posted('fileSize, exceeded by 1 MiB', '/limit/fileSize', form(bytes(1024 * KiB)), refused(413, 'LIMIT_FILE_SIZE')),
    posted(
      'fileSize, exceeded by a file behind good fields',
      '/limit/fileSize',
      form(...fields(5), bytes(1001), ...fields(5)),
      refused(413, 'LIMIT_FILE_SIZE'),
    ),
    posted(
      'fieldNameSize, met by characters and not by bytes',
      '/limit/fieldNameSize',
      form(field('ü'.repeat(6), 'v')),
      refused(400, 'LIMIT_FIELD_KEY'),
    ),
    posted(
      'fieldSize, met by characters and not by bytes',
      '/limit/fieldSize',
      form(field('a', 'ü'.repeat(51))),
      refused(400, 'LIMIT_FIELD_VALUE'),
    ),
    posted(
      'minFileSize, and a file input that was left empty',
      '/limit/minFileSize',
      form({ ...file(''), filename: '' }),
      taken(),
    ),
    posted(
      'minFileSize, and a file without bytes',
      '/limit/minFileSize',
      form(bytes(0)),
      refused(400, 'FILE_TOO_SMALL'),
    ),
    posted(
      'totalSize, exceeded by the second of three large files',
      '/limit/totalSize',
      form(bytes(1999), bytes(300 * KiB), bytes(1)),
      refused(413, 'LIMIT_TOTAL_SIZE'),
    ),
  ],
};

const several = (count: number, name = 'file'): Part[] =>
  Array.from({ length: count }, (_, index) => file(`${CONTENT}${index}`, name));

export const fileFields: CaseGroup = {
  about: 'files that a route takes or does not',
  cases: [
    posted('as many files as are taken', '/files', form(...several(3)), {
      status: 201,
      files: several(3).map(({ data }) => ({ data })),
    }),
    posted(
      'one file too many',
      '/files',
      form(...several(4)),
      refused(400, 'LIMIT_UNEXPECTED_FILE', { message: /"file".*3 files/ }),
    ),
    posted(
      'one large file too many',
      '/files',
      form(...several(3), bytes(300 * KiB)),
      refused(400, 'LIMIT_UNEXPECTED_FILE'),
    ),
    posted(
      'a file under another field',
      '/files',
      form(...several(2), file('x', 'other')),
      refused(400, 'LIMIT_UNEXPECTED_FILE', { message: /"other"/ }),
    ),
    posted('files under several fields', '/fields', form(...several(1, 'avatar'), ...several(2, 'cv')), {
      status: 201,
    }),
    posted(
      'one file too many under one of several fields',
      '/fields',
      form(...several(2, 'cv'), ...several(2, 'avatar')),
      refused(400, 'LIMIT_UNEXPECTED_FILE', { message: /"avatar"/ }),
    ),
    posted(
      'a file under none of several fields',
      '/fields',
      form(...several(1, 'avatar'), file('x', 'other')),
      refused(400, 'LIMIT_UNEXPECTED_FILE', { message: /"other"/ }),
    ),
    posted(
      'a field that differs in one letter of another case',
      '/fields',
      form(file('x', 'Avatar')),
      refused(400, 'LIMIT_UNEXPECTED_FILE'),
    ),
    posted(
      'a file under a field with a space behind it',
      '/fields',
      form(file('x', 'avatar ')),
      refused(400, 'LIMIT_UNEXPECTED_FILE'),
    ),
    posted(
      'two hundred files where every field is taken',
      '/any',
      form(...Array.from({ length: 200 }, (_, index) => file(`${index}`, `f${index}`))),
      {
        status: 201,
        files: Array.from({ length: 200 }, (_, index) => ({ data: `${index}`, fieldname: `f${index}` })),
      },
    ),
    posted(
      '1,001 files where every field is taken',
      '/any',
      form(...Array.from({ length: 1001 }, (_, index) => file('x', `f${index}`))),
      refused(400, 'LIMIT_PART_COUNT'),
    ),
    posted('no file where every field is taken', '/any', form(field('a', '1')), taken([], { a: '1' })),
    posted(
      'files and then a truncated end',
      '/any',
      form(...several(20)).subarray(0, -10),
      refused(400, 'MULTIPART_UNEXPECTED_END_OF_FORM'),
    ),
    posted(
      'files, and a malformed part at the end',
      '/any',
      Buffer.concat([form(...several(20)).subarray(0, -4), Buffer.from('\r\nno colon\r\n\r\n')]),
      refused(400, 'MULTIPART_MALFORMED_PART_HEADER'),
    ),
    posted('a good form whose handler fails', '/throws', form(file(CONTENT)), { status: 418 }),
    posted('a large good form whose handler fails', '/throws', form(bytes(600 * KiB)), { status: 418 }),
    posted('a good form that is committed after its handler', '/late', form(file(CONTENT)), {
      status: 201,
      files: [{ size: CONTENT.length }],
    }),
    posted(
      'a truncated form that would be committed after its handler',
      '/late',
      form(file(CONTENT)).subarray(0, -4),
      refused(400, 'MULTIPART_UNEXPECTED_END_OF_FORM'),
    ),
  ],
};

/** Several clients that upload to one key of the application's own, at once. */
function race(name: string, clients: number, size: number): HostileCase {
  return {
    name,
    expects: [{ status: 201 }, ...Array<Expected>(clients - 1).fill(refused(409, 'FILE_EXISTS'))],
    attack: async (target) => {
      const body = form(bytes(size));
      const replies = await Promise.all(Array.from({ length: clients }, () => target.post('/chosen', body)));
      return replies.sort((a, b) => Number(a.status) - Number(b.status));
    },
  };
}

export const races: CaseGroup = {
  about: 'uploads to one key',
  cases: [
    race('two at once', 2, 10),
    race('twenty at once', 20, 10),
    race('twenty large ones at once', 20, 200 * KiB),
    {
      name: 'twenty behind each other over one connection',
      expects: [{ status: 201 }, ...Array<Expected>(19).fill(refused(409, 'FILE_EXISTS'))],
      attack: async (target) => {
        const connection = await target.connect();
        const replies = [];
        for (let index = 0; index < 20; index++) replies.push(await connection.post('/chosen', form(bytes(10))));
        return replies;
      },
    },
    {
      name: 'one that comes and nineteen that leave in the middle',
      expects: { status: 201 },
      attack: async (target) => {
        const body = form(bytes(100 * KiB));
        await Promise.all(
          Array.from({ length: 19 }, async () => {
            const connection = await target.connect();
            void connection.post('/chosen', body.subarray(0, 90 * KiB), { 'Content-Length': String(body.length) });
            connection.reset();
          }),
        );
        return target.post('/chosen', body);
      },
    },
  ],
};
