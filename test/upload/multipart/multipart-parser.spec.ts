import { describe, expect, it } from '@jest/globals';
import { MultipartError, MultipartParser } from '../../../lib/upload/multipart/multipart-parser.js';
import { byteByByte, inLengths, inTwo, readForm, Recorder } from './read-form.js';
import { broken, DISPOSITION, filled, headed, told, whole } from './told-cases.js';

const BODY = Buffer.from(filled('\r\n--C\r\n--B \t \r\r\n--B-\r\nx'), 'latin1');
const FORM = readForm('B', [BODY]);

describe('A parser', () => {
  it('hands on slices of the chunks that were written', () => {
    const recorder = new Recorder();
    const parser = new MultipartParser('B', recorder);
    const chunks = [...inTwo(BODY, 60), Buffer.from('epilogue')];
    for (const chunk of chunks) parser.write(chunk);
    expect(recorder.slices.map((slice) => slice.buffer)).toEqual(recorder.slices.map(() => BODY.buffer));
  });

  it('hands on a chunk that is only content as it came', () => {
    const recorder = new Recorder();
    const parser = new MultipartParser('B', recorder);
    const content = Buffer.from('content');
    parser.write(Buffer.from(`--B\r\n${DISPOSITION}\r\n\r\n`));
    parser.write(content);
    expect(recorder.slices[0]).toBe(content);
  });

  it('takes no harm from a listener that changes the bytes it gets', () => {
    const recorder = new Recorder();
    const parser = new MultipartParser('B', recorder);
    let content = '';
    recorder.onBytes = (bytes) => {
      content += bytes.toString('latin1');
      bytes.fill('-');
    };
    for (const chunk of byteByByte(Buffer.from(BODY))) parser.write(chunk);
    parser.end();
    expect(recorder.form.last).toBe('end');
    expect(content).toBe(FORM.parts[0]?.content);
  });

  it('needs no chunk any more when write() returns', () => {
    for (let length = 1; length < BODY.length; length++) {
      const recorder = new Recorder();
      const parser = new MultipartParser('B', recorder);
      const reused = Buffer.alloc(length);
      let content = '';
      recorder.onBytes = (bytes) => {
        content += bytes.toString('latin1');
      };
      for (const chunk of inLengths(BODY, [length])) {
        chunk.copy(reused);
        parser.write(reused.subarray(0, chunk.length));
        reused.fill('-');
      }
      parser.end();
      const part = { ...recorder.form.parts[0], content };
      expect({ length, part, last: recorder.form.last }).toEqual({ length, part: FORM.parts[0], last: 'end' });
    }
  });

  it('is told nothing more after its end, a stop or a failure', () => {
    const recorder = new Recorder();
    const parser = new MultipartParser('B', recorder);
    parser.write(BODY);
    parser.end();
    parser.end();
    parser.write(BODY);
    parser.stop();
    parser.end();
    expect(recorder.form).toEqual(FORM);

    const stopped = new Recorder();
    const other = new MultipartParser('B', stopped);
    other.stop();
    other.write(BODY);
    other.end();
    expect(stopped.calls).toBe(0);

    const failed = new Recorder();
    const third = new MultipartParser('B', failed);
    third.write(Buffer.from(headed('x')));
    third.write(BODY);
    third.end();
    expect(failed.calls).toBe(1);
  });

  it('takes empty chunks for nothing', () => {
    const chunks = [...byteByByte(BODY)].flatMap((chunk) => [Buffer.alloc(0), chunk]);
    expect(readForm('B', chunks)).toEqual(FORM);
  });

  it('says what is wrong without repeating what the client sent', () => {
    const recorder = new Recorder();
    const parser = new MultipartParser('B', recorder);
    parser.write(Buffer.from(headed('Content-Disposition: attachment; name="<script>"')));
    expect(recorder.error).toBeInstanceOf(MultipartError);
    expect(recorder.error?.message).toBe('The header of a part has no Content-Disposition of form-data.');
  });

  it('refuses a part in the middle of a form, and tells those before it', () => {
    const body = `--B\r\n${DISPOSITION}\r\n\r\nx\r\n${headed('X: y')}`;
    expect(readForm('B', [Buffer.from(body)])).toEqual(broken('malformed-header', told()));
    expect(readForm('B', [Buffer.from(filled('x'))])).toEqual(whole(told()));
  });
});
