import { createHash } from 'node:crypto';
import { field, file, form, type Part } from '../../upload/form.js';
import type { CaseGroup, Expected, HostileCase } from '../run/hostile-case.js';
import { VIRUS } from '../server/agreed.js';
import { CONTENT, KiB, posted, refused, taken } from './kit.js';

const PNG = Buffer.from(
  '89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082',
  'hex',
);
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
const HTML = '<!DOCTYPE html><html><script>alert(1)</script></html>';
const PDF = '%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n';
const EXE = Buffer.concat([Buffer.from('MZ'), Buffer.alloc(200)]);

const NOT_ALLOWED = refused(415, 'UNSUPPORTED_FILE_TYPE');

const sent = (data: Buffer | string, filename: string, type: string): Part => file(data, 'file', filename, type);

const images: readonly (readonly [what: string, part: Part, expects: Expected])[] = [
  ['an image', sent(PNG, 'a.png', 'image/png'), taken([{ data: PNG, contentType: 'image/png' }])],
  // what it says decides nothing: it is kept, and stored, as what it is
  [
    'an image under another image type',
    sent(PNG, 'a.jpg', 'image/jpeg'),
    taken([{ data: PNG, contentType: 'image/png' }]),
  ],
  ['an image that says it is text', sent(PNG, 'a.txt', 'text/plain'), taken([{ data: PNG, contentType: 'image/png' }])],
  ['text that says it is an image', sent('hello', 'a.png', 'image/png'), NOT_ALLOWED],
  ['a program that says it is an image', sent(EXE, 'a.png', 'image/png'), NOT_ALLOWED],
  ['SVG', sent(SVG, 'a.svg', 'image/svg+xml'), NOT_ALLOWED],
  ['SVG that says it is PNG', sent(SVG, 'a.png', 'image/png'), NOT_ALLOWED],
  ['SVG behind a declaration of XML', sent(`<?xml version="1.0"?>${SVG}`, 'a.svg', 'image/svg+xml'), NOT_ALLOWED],
  ['HTML that says it is GIF', sent(HTML, 'a.gif', 'image/gif'), NOT_ALLOWED],
  ['the first seven bytes of PNG', sent(PNG.subarray(0, 7), 'a.png', 'image/png'), NOT_ALLOWED],
  ['no byte', sent('', 'a.png', 'image/png'), NOT_ALLOWED],
  ['random bytes', sent(createHash('sha512').update('x').digest(), 'a.png', 'image/png'), NOT_ALLOWED],
  ['1 MiB of zeros', sent(Buffer.alloc(1024 * KiB), 'a.png', 'image/png'), NOT_ALLOWED],
];

const texts: readonly (readonly [what: string, part: Part, expects: Expected])[] = [
  ['text', sent('hello', 'a.txt', 'text/plain'), taken([{ data: 'hello', contentType: 'text/plain' }])],
  ['an image that says it is text, where text is taken', sent(PNG, 'a.txt', 'text/plain'), NOT_ALLOWED],
  ['NULs that say they are text', sent(Buffer.alloc(100), 'a.txt', 'text/plain'), NOT_ALLOWED],
  [
    'bytes that are no UTF-8 and say they are text',
    sent(Buffer.from([0xff, 0xfe, 0xfd, 0xfc]), 'a.txt', 'text/plain'),
    NOT_ALLOWED,
  ],
  ['text that only its name says', sent('hello', 'a.txt', 'application/octet-stream'), { status: 201 }],
  ['text that nothing says', sent('hello', 'a.bin', 'application/octet-stream'), NOT_ALLOWED],
];

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');
const RIGHT = sha256(CONTENT);
const WRONG = sha256('another content');
const MISMATCH = refused(422, 'CHECKSUM_MISMATCH');

const summed = (
  name: string,
  sum: string | undefined,
  expects: Expected,
  path = '/checksum',
  order: 'before' | 'after' = 'after',
): HostileCase => {
  const sums = sum === undefined ? [] : [field('sum', sum)];
  return posted(name, path, order === 'after' ? form(file(CONTENT), ...sums) : form(...sums, file(CONTENT)), expects);
};

const headed = (name: string, sum: string, expects: Expected): HostileCase =>
  posted(name, '/checksum-header', form(file(CONTENT)), expects, { 'X-Sum': sum });

export const contents: CaseGroup = {
  about: 'what is in a file',
  cases: [
    ...images.map(([what, part, expects]) => posted(`${what}, where images are taken`, '/images', form(part), expects)),
    ...texts.map(([what, part, expects]) => posted(what, '/text', form(part), expects)),
    posted(
      'a PDF, where .pdf is taken',
      '/pdf',
      form(sent(PDF, 'a.pdf', 'application/pdf')),
      taken([{ data: PDF, contentType: 'application/pdf' }]),
    ),
    posted(
      'text named .pdf, where .pdf is taken',
      '/pdf',
      form(sent('hello', 'a.pdf', 'application/pdf')),
      NOT_ALLOWED,
    ),
    posted(
      'HTML, where any type is taken',
      '/one',
      form(sent(HTML, 'a.html', 'text/html')),
      taken([{ data: HTML, contentType: 'application/octet-stream' }]),
    ),
    posted('HTML that says it is text, where any type is taken', '/one', form(sent(HTML, 'a.txt', 'text/plain')), {
      status: 201,
    }),
    summed('the right checksum behind its file', RIGHT, { status: 201 }),
    summed('the right checksum before its file', RIGHT, { status: 201 }, '/checksum', 'before'),
    summed('the right checksum in capitals', RIGHT.toUpperCase(), { status: 201 }),
    summed('the right checksum in Base64', Buffer.from(RIGHT, 'hex').toString('base64'), { status: 201 }),
    summed('a wrong checksum behind its file', WRONG, MISMATCH),
    summed('a wrong checksum before its file', WRONG, MISMATCH, '/checksum', 'before'),
    summed('a checksum that is none', 'not a checksum', refused(400, 'CHECKSUM_INVALID')),
    summed('an empty checksum', '', { status: 400 }),
    summed('a checksum of half its length', RIGHT.slice(0, 32), refused(400, 'CHECKSUM_INVALID')),
    summed('no checksum where one may be', undefined, { status: 201 }),
    summed('no checksum where one must be', undefined, refused(400, 'CHECKSUM_MISSING'), '/checksum-required'),
    summed('a wrong checksum where one must be', WRONG, MISMATCH, '/checksum-required'),
    posted(
      'two checksums, the right one and a wrong one',
      '/checksum',
      form(field('sum', RIGHT), file(CONTENT), field('sum', WRONG)),
      { status: [400, 422] },
    ),
    posted(
      'a wrong checksum of a large file',
      '/checksum',
      form(file(Buffer.alloc(600 * KiB)), field('sum', WRONG)),
      MISMATCH,
    ),
    headed('the right checksum in a header', RIGHT, { status: 201 }),
    headed('a wrong checksum in a header', WRONG, MISMATCH),
    headed('a checksum in a header that is none', '%%%', refused(400, 'CHECKSUM_INVALID')),
    posted('a file that a scanner takes', '/scanned', form(file(CONTENT)), taken([{ data: CONTENT }])),
    posted(
      'a file that a scanner refuses',
      '/scanned',
      form(file(`${CONTENT} ${VIRUS}`)),
      refused(422, 'FILE_REJECTED'),
    ),
    posted(
      'a large file that a scanner refuses',
      '/scanned',
      form(file(Buffer.concat([Buffer.alloc(600 * KiB), Buffer.from(VIRUS)]))),
      refused(422, 'FILE_REJECTED'),
    ),
  ],
};
