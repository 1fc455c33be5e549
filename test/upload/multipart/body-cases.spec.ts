import { describe } from '@jest/globals';
import { MAX_PADDING } from '../../../lib/upload/multipart/delimiter.js';
import { broken, DISPOSITION, filled, headed, tellsTheSameAtEverySplit, told, whole } from './told-cases.js';

const BEGIN = `--B\r\n${DISPOSITION}\r\n\r\n`;
const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('latin1');
const NESTED = headed(DISPOSITION).replaceAll('--B', '--N');

/** A form with this boundary. */
const bounded = (boundary: string): string => filled('x').replaceAll('--B', () => `--${boundary}`);
const content = (text: string): ReturnType<typeof told> => told({ content: text });
const unended = (text: string): ReturnType<typeof told> => told({ content: text, ended: false });

describe('A body is told the same in one piece, in any two, and byte by byte:', () => {
  describe('its parts', () => {
    tellsTheSameAtEverySplit([
      ['one part', filled('x'), whole(told())],
      ['two parts', `${BEGIN}x\r\n${filled('y')}`, whole(told(), content('y'))],
      ['no part', '--B--\r\n', whole()],
      ['an empty part', filled(''), whole(content(''))],
      ['two empty parts', `${BEGIN}\r\n${filled('')}`, whole(content(''), content(''))],
      ['a part that ends with its header', `${BEGIN}--B--`, whole(content(''))],
      ['a part that ends with its header, and another one', `${BEGIN}${filled('y')}`, whole(content(''), content('y'))],
      ['content of every byte', filled(ALL_BYTES), whole(content(ALL_BYTES))],
      ['content that is only a line break', filled('\r\n'), whole(content('\r\n'))],
      ['content that ends with a CR', filled('x\r'), whole(content('x\r'))],
      ['content of many CRs', filled('\r\r\n\r\n\r\r'), whole(content('\r\r\n\r\n\r\r'))],
      ['another form as content', filled(NESTED), whole(content(NESTED))],
    ]);
  });

  describe('what stands around the parts', () => {
    tellsTheSameAtEverySplit([
      ['a preamble', `any\r\n--Bx\r\n\r\n${filled('x')}`, whole(told())],
      ['a preamble of one line break', `\r\n${filled('x')}`, whole(told())],
      ['a preamble that goes on to the last delimiter', `any${filled('x')}`, whole()],
      ['an epilogue', `${filled('x')}any\r\n${BEGIN}z\r\n--B--`, whole(told())],
      ['an epilogue right behind the last dashes', `${filled('x').slice(0, -2)}any`, whole(told())],
      ['nothing behind the last dashes', filled('x').slice(0, -2), whole(told())],
      ['a lone CR behind the last dashes', filled('x').slice(0, -1), whole(told())],
      ['a lone LF behind the last dashes', `${filled('x').slice(0, -2)}\n`, whole(told())],
      ['nothing at all', '', broken('unexpected-end')],
      ['no boundary', 'x\r\ny', broken('unexpected-end')],
      ['another boundary than announced', bounded('C'), broken('unexpected-end')],
      ['the end in the preamble', '\r\n-', broken('unexpected-end')],
      ['the end behind a boundary', '--B', broken('unexpected-end')],
      ['the end between the last dashes', '--B-', broken('unexpected-end')],
      ['the end in a header', `--B\r\n${DISPOSITION}\r\n\r`, broken('unexpected-end')],
      ['the end in a part', `${BEGIN}x`, broken('unexpected-end', unended('x'))],
      ['the end in the delimiter of a part', `${BEGIN}x\r\n--B`, broken('unexpected-end', unended('x'))],
      ['the end behind a delimiter', `${BEGIN}x\r\n--B\r\n`, broken('unexpected-end', told())],
      ['line feeds alone', filled('x').replaceAll('\r', ''), broken('unexpected-end')],
      ['carriage returns alone', filled('x').replaceAll('\n', ''), broken('unexpected-end')],
    ]);
  });

  describe('its boundary', () => {
    tellsTheSameAtEverySplit([
      ['one character', bounded('-'), whole(told()), '-'],
      ['70 characters', bounded('b'.repeat(70)), whole(told()), 'b'.repeat(70)],
      ['70 dashes', bounded('-'.repeat(70)), whole(told()), '-'.repeat(70)],
      ['all that RFC 2046 allows', bounded("0aZ'()+_,-./:=? ?"), whole(told()), "0aZ'()+_,-./:=? ?"],
      ['what means something to a pattern', bounded('$&(.+)?'), whole(told()), '$&(.+)?'],
      ['dashes at its beginning', bounded('----W'), whole(told()), '----W'],
      ['dashes at its end', bounded('W--'), whole(told()), 'W--'],
      ['the end of its own delimiters', bounded('B--B'), whole(told()), 'B--B'],
    ]);
  });

  describe('the ends of its delimiters', () => {
    const padded = (padding: string): string => filled('x').replace('--B', `--B${padding}`);
    const notThere = (line: string): string => filled(`x\r\n${line}y`);
    const asContent = (line: string): ReturnType<typeof whole> => whole(content(`x\r\n${line}y`));
    tellsTheSameAtEverySplit([
      ['spaces and tabs', padded(' \t '), whole(told())],
      ['spaces and tabs, between two parts', `${BEGIN}x\r\n${padded('\t \t')}`, whole(told(), told())],
      ['spaces behind the last one', `${filled('x').slice(0, -2)} \t\r\n`, whole(told())],
      ['as many spaces as are allowed', padded(' '.repeat(MAX_PADDING)), whole(told())],
      ['one space more', padded(' '.repeat(MAX_PADDING + 1)), broken('malformed-body')],
      [
        'one space more, behind a part',
        `${BEGIN}x\r\n--B${' '.repeat(MAX_PADDING + 1)}`,
        broken('malformed-body', unended('x')),
      ],
      ['a longer boundary, which is content', notThere('--BX\r\n'), asContent('--BX\r\n')],
      ['a shorter boundary, which is content', bounded('BB').replace('x', 'x\r\n--B\r\ny'), asContent('--B\r\n'), 'BB'],
      ['one dash, which is content', notThere('--B-\r\n'), asContent('--B-\r\n')],
      ['one dash and another delimiter', filled('x\r\n--B-'), whole(content('x\r\n--B-'))],
      ['dashes behind a space, which are content', notThere('--B --\r\n'), asContent('--B --\r\n')],
      ['text behind spaces, which is content', notThere('--B \t x\r\n'), asContent('--B \t x\r\n')],
      ['a lone LF, which is content', notThere('--B\n'), asContent('--B\n')],
      ['a lone CR, which is content', notThere('--B\r'), asContent('--B\r')],
      ['a lone CR before another delimiter', filled('x\r\n--B\r'), whole(content('x\r\n--B\r'))],
      ['a boundary at a line that only LF begins', notThere('\n--B\r\n'), asContent('\n--B\r\n')],
      ['a boundary in the middle of a line', notThere('y--B--\r\n'), asContent('y--B--\r\n')],
      ['a boundary with one dash', notThere('-B--\r\n'), asContent('-B--\r\n')],
      ['a boundary in other letters', notThere('--b--\r\n'), asContent('--b--\r\n')],
      ['half a delimiter, again and again', notThere('\r\n-\r\n--\r\n--'), asContent('\r\n-\r\n--\r\n--')],
      ['what begins the content, which is content', filled('--BX\r\ny'), whole(content('--BX\r\ny'))],
      ['half a boundary that begins the content', filled('--'), whole(content('--'))],
    ]);
  });
});
