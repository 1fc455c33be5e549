import { describe, expect, it } from '@jest/globals';
import { MultipartParser } from '../../../lib/upload/multipart/multipart-parser.js';
import { inLengths } from './read-form.js';
import { DISPOSITION } from './told-cases.js';

const SIZE = 8 * 1024 * 1024;

/**
 * What a hostile body may cost, to a form of parts of 1 KiB of the same size. Measured are up to 4; a parser that looks back at each
 * beginning of a delimiter costs hundreds.
 */
const FACTOR = 10;

/** The same where each few bytes are a part, whose header has to be read. Measured are 12. */
const FACTOR_OF_PARTS = 30;

const repeated = (text: string, size = SIZE): Buffer => Buffer.alloc(size, text, 'latin1');
const inPart = (boundary: string, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`--${boundary}\r\n${DISPOSITION}\r\n\r\nx`), content]);

/** CPU milliseconds that a body takes. */
function cost(boundary: string, body: Buffer): number {
  const ignore = (): void => undefined;
  const listener = { onPartBegin: ignore, onPartData: ignore, onPartEnd: ignore, onEnd: ignore, onError: ignore };
  const parser = new MultipartParser(boundary, listener);
  const before = process.cpuUsage();
  for (const bytes of inLengths(body, [64 * 1024])) parser.write(bytes);
  parser.end();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const BENIGN = repeated(
  `\r\n--B\r\n${DISPOSITION}; filename="a.bin"\r\nContent-Type: image/png\r\n\r\n${'x'.repeat(1024)}`,
);

/** How many benign bodies one costs, by turns, so that both meet the same machine; of each the least of three: what disturbs only adds. */
function timesBenign(boundary: string, body: Buffer): number {
  let [least, leastBenign] = [Infinity, Infinity];
  for (let round = 0; round < 3; round++) {
    leastBenign = Math.min(leastBenign, cost('B', BENIGN));
    least = Math.min(least, cost(boundary, body));
  }
  return least / leastBenign;
}

describe('A hostile body of 8 MiB', () => {
  const LONG = 'a'.repeat(70);

  it.each([
    ['beginnings of a delimiter', 'B', '\r\n--'],
    ['beginnings of a delimiter, one dash short', 'B', '\r\n-\r\n-'],
    ['carriage returns', 'B', '\r'],
    ['line breaks', 'B', '\r\n'],
    ['boundaries that are none', 'B', '\r\n--BX'],
    ['boundaries that are none, with padding', 'B', '\r\n--B  \t \rX'],
    ['boundaries with as much padding as is allowed', 'B', `\r\n--B${' '.repeat(1024)}X`],
    ['boundaries with one dash', 'B', '\r\n--B-'],
    ['the character of the boundary', LONG, 'a'],
    ['boundaries that are one character short', LONG, `\r\n--${LONG.slice(1)}`],
    ['boundaries that begin wrong', LONG, `\r\n-x${LONG}`],
    ['dashes, like the boundary', '-'.repeat(70), '-'],
    ['a boundary that repeats itself', 'ab'.repeat(35), 'ab'],
  ])('of %s costs no more than ten benign ones', (_name, boundary, content) => {
    const body = inPart(boundary, repeated(content));
    expect(timesBenign(boundary, body)).toBeLessThan(FACTOR);
  });

  it.each([
    ['parts that end with their header', '\r\n--B\r\nContent-Disposition:form-data\r\n'],
    ['parts of one byte', '\r\n--B\r\nContent-Disposition:form-data\r\n\r\nx'],
  ])('of %s costs no more than thirty benign ones', (_name, content) => {
    expect(timesBenign('B', repeated(content))).toBeLessThan(FACTOR_OF_PARTS);
  });
});
