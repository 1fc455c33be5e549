import {
  type MultipartError,
  type MultipartFailure,
  type MultipartListener,
  MultipartParser,
  type PartHeader,
} from '../../../lib/upload/multipart/multipart-parser.js';

/** A part as it was told. Its bytes are one character each. */
export interface ToldPart extends PartHeader {
  readonly content: string;
  readonly ended: boolean;
}

/** All that a parser told of a body. */
export interface ToldForm {
  readonly parts: readonly ToldPart[];
  readonly last: 'end' | MultipartFailure | 'nothing';
}

/** Writes down what it is told, and fails where the order of the calls makes no sense. */
export class Recorder implements MultipartListener {
  readonly #parts: { header: PartHeader; bytes: Buffer[]; ended: boolean }[] = [];
  #last: ToldForm['last'] = 'nothing';
  #error: MultipartError | undefined;
  #calls = 0;
  onBytes: (bytes: Buffer) => void = () => undefined;
  onCall: (calls: number) => void = () => undefined;

  get form(): ToldForm {
    return {
      parts: this.#parts.map(({ header, bytes, ended }) => ({
        ...header,
        content: Buffer.concat(bytes).toString('latin1'),
        ended,
      })),
      last: this.#last,
    };
  }

  get error(): MultipartError | undefined {
    return this.#error;
  }

  get calls(): number {
    return this.#calls;
  }

  /** The data as it was told. */
  get slices(): readonly Buffer[] {
    return this.#parts.flatMap(({ bytes }) => bytes);
  }

  get inPart(): boolean {
    return this.#parts.at(-1)?.ended === false;
  }

  onPartBegin(header: PartHeader): void {
    this.#called(this.#parts.at(-1)?.ended !== false, 'a part begins in another one');
    this.#parts.push({ header, bytes: [], ended: false });
    this.onCall(this.#calls);
  }

  onPartData(bytes: Buffer): void {
    const part = this.#parts.at(-1);
    this.#called(part?.ended === false && bytes.length > 0, 'data outside of a part, or none');
    part?.bytes.push(bytes);
    this.onBytes(bytes);
    this.onCall(this.#calls);
  }

  onPartEnd(): void {
    const part = this.#parts.at(-1);
    this.#called(part?.ended === false, 'an end outside of a part');
    if (part !== undefined) part.ended = true;
    this.onCall(this.#calls);
  }

  onEnd(): void {
    this.#called(this.#parts.at(-1)?.ended !== false, 'the form ends in a part');
    this.#last = 'end';
    this.onCall(this.#calls);
  }

  onError(error: MultipartError): void {
    this.#called(true, '');
    this.#last = error.reason;
    this.#error = error;
    this.onCall(this.#calls);
  }

  #called(allowed: boolean, what: string): void {
    if (!allowed) throw new Error(`Told in the wrong order: ${what}.`);
    if (this.#last !== 'nothing') throw new Error(`Told after ${this.#last}.`);
    this.#calls++;
  }
}

export function readForm(boundary: string, chunks: Iterable<Buffer>): ToldForm {
  const recorder = new Recorder();
  const parser = new MultipartParser(boundary, recorder);
  for (const chunk of chunks) parser.write(chunk);
  parser.end();
  return recorder.form;
}

export function inTwo(body: Buffer, split: number): Buffer[] {
  return [body.subarray(0, split), body.subarray(split)];
}

export function* byteByByte(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; at++) yield body.subarray(at, at + 1);
}

/** The body cut after each of the given lengths in turn, again and again. */
export function* inLengths(body: Buffer, lengths: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < body.length; turn++) {
    const length = lengths[turn % lengths.length] ?? body.length;
    yield body.subarray(at, at + length);
    at += length;
  }
}
