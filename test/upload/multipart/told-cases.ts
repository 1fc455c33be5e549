import { expect, it } from '@jest/globals';
import { byteByByte, inTwo, readForm, type ToldForm, type ToldPart } from './read-form.js';

/** A body (one character for each byte), what is to be told of it, and its boundary where that is not `B`. */
export type ToldCase = readonly [name: string, body: string, form: ToldForm, boundary?: string];

export const DISPOSITION = 'Content-Disposition: form-data; name="a"';

/** A part as it is to be told; by default the one that {@link filled} makes of `x`. */
export function told(part: Partial<ToldPart> = {}): ToldPart {
  const plain = { name: 'a', filename: undefined, encoding: '7bit', mimeType: undefined, charset: undefined };
  return { ...plain, content: 'x', ended: true, ...part };
}

export const whole = (...parts: ToldPart[]): ToldForm => ({ parts, last: 'end' });
export const broken = (last: ToldForm['last'], ...parts: ToldPart[]): ToldForm => ({ parts, last });

/** A form of one part with these lines in its header. */
export const headed = (...lines: string[]): string => `--B\r\n${lines.join('\r\n')}\r\n\r\nx\r\n--B--\r\n`;
/** A form of one part with this content. */
export const filled = (content: string): string => `--B\r\n${DISPOSITION}\r\n\r\n${content}\r\n--B--\r\n`;

/** The UTF-8 bytes of a text, as characters. */
export const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Declares a test for each case: it is told the same in one piece, in two pieces wherever they meet, and byte by byte. */
export function tellsTheSameAtEverySplit(cases: readonly ToldCase[]): void {
  it.each(cases)('%s', (_name, text, form, boundary = 'B') => {
    const body = Buffer.from(text, 'latin1');
    expect(readForm(boundary, [body])).toEqual(form);
    const expected = JSON.stringify(readForm(boundary, [body]));
    for (let split = 1; split < body.length; split++) {
      const inTwoPieces = readForm(boundary, inTwo(body, split));
      // comparing the text first: thousands of deep comparisons take minutes
      if (JSON.stringify(inTwoPieces) !== expected) expect({ split, ...inTwoPieces }).toEqual({ split, ...form });
    }
    expect(readForm(boundary, byteByByte(body))).toEqual(form);
  });
}
