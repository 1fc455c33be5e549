import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MAX_PADDING } from '../../../lib/upload/multipart/delimiter.js';
import { MultipartParser } from '../../../lib/upload/multipart/multipart-parser.js';
import { FUZZ_RUNS, forms, lengths, mutations, written } from './form-arbitraries.js';
import { byteByByte, inLengths, readForm, Recorder } from './read-form.js';
import { told, whole } from './told-cases.js';

const RUNS = { numRuns: FUZZ_RUNS };

// fast-check prints the seed of a run that fails
describe('A random form', () => {
  it('is told as it was written, however it is cut', () => {
    fc.assert(
      fc.property(forms, lengths, (form, cut) => {
        const expected = form.parts.map((part) => told({ ...part, encoding: part.encoding ?? '7bit' }));
        expect(readForm(form.boundary, inLengths(Buffer.from(written(form), 'latin1'), cut))).toEqual(
          whole(...expected),
        );
      }),
      RUNS,
    );
  });

  it('is told as it was written, with boundaries in its content that are none', () => {
    fc.assert(
      fc.property(forms, lengths, fc.constantFrom('!', '\rx', '\n', '-\r', ' \t!', '\t\r\r'), (form, cut, wrong) => {
        const needle = `\r\n--${form.boundary}`;
        const parts = form.parts.map((part) => ({
          ...part,
          content: part.content.replaceAll('\r\n', `${needle}${wrong}`),
        }));
        // put together by chance, it may be one after all
        const ends = parts.flatMap(({ content }) => `\r\n${content}\r\n`.split(needle).slice(1));
        fc.pre(!ends.some((end) => /^(?:--|[ \t]*(?:\r\n|$))/.test(end)));
        const body = Buffer.from(written({ ...form, parts }), 'latin1');
        const expected = parts.map((part) => told({ ...part, encoding: part.encoding ?? '7bit' }));
        expect(readForm(form.boundary, inLengths(body, cut))).toEqual(whole(...expected));
      }),
      RUNS,
    );
  });

  it('that was changed at random is told in one way, however it is cut, in an order that makes sense', () => {
    fc.assert(
      fc.property(mutations, lengths, ({ boundary, body }, cut) => {
        const bytes = Buffer.from(body, 'latin1');
        const form = readForm(boundary, [bytes]);
        expect(form.last).not.toBe('nothing');
        expect(readForm(boundary, inLengths(bytes, cut))).toEqual(form);
        expect(readForm(boundary, byteByByte(bytes))).toEqual(form);
      }),
      RUNS,
    );
  });

  it('is told no further once the listener has stopped it', () => {
    fc.assert(
      fc.property(mutations, lengths, fc.integer({ min: 1, max: 12 }), ({ boundary, body }, cut, last) => {
        const recorder = new Recorder();
        const parser = new MultipartParser(boundary, recorder);
        recorder.onCall = (calls) => {
          if (calls === last) parser.stop();
        };
        for (const chunk of inLengths(Buffer.from(body, 'latin1'), cut)) parser.write(chunk);
        parser.end();
        expect(recorder.calls).toBeLessThanOrEqual(last);
      }),
      RUNS,
    );
  });

  it('never waits with more content than an unfinished delimiter', () => {
    fc.assert(
      fc.property(mutations, ({ boundary, body }) => {
        const most = `\r\n--${boundary}\r`.length + MAX_PADDING;
        const recorder = new Recorder();
        const parser = new MultipartParser(boundary, recorder);
        let waiting = 0;
        let longest = 0;
        recorder.onCall = () => {
          waiting = 0;
        };
        for (const chunk of byteByByte(Buffer.from(body, 'latin1'))) {
          waiting++;
          parser.write(chunk);
          if (recorder.inPart) longest = Math.max(longest, waiting);
        }
        expect(longest).toBeLessThanOrEqual(most);
      }),
      RUNS,
    );
  });
});
