import { isDeepStrictEqual } from 'node:util';
import { UploadException } from 'nestjs-storages';
import { boundaryOf } from '../../../lib/upload/multipart/content-type.js';
import { byteByByte, inTwo, readForm, type ToldForm } from '../../upload/multipart/read-form.js';
import type { Reading } from './reading.js';
import type { Vector } from './vector.js';

/** Reads a vector by the library's parser, and demands that it reads the same however the body is cut. */
export function readByParser({ id, contentType, body }: Vector): Reading {
  let boundary: string;
  try {
    boundary = boundaryOf(contentType);
  } catch (error) {
    if (error instanceof UploadException) return { refused: error.code };
    throw error;
  }
  const form = readForm(boundary, [body]);
  for (const other of otherCuts(boundary, body)) {
    if (!isDeepStrictEqual(other, form)) throw new Error(`${id} is read in another way when it is cut.`);
  }
  if (form.last !== 'end') return { refused: form.last };
  return { parts: form.parts.map(({ content, ...part }) => ({ ...part, body: Buffer.from(content, 'latin1') })) };
}

function* otherCuts(boundary: string, body: Buffer): Generator<ToldForm> {
  yield readForm(boundary, byteByByte(body));
  // of the one large body the bytes one by one are enough
  if (body.length > 4096) return;
  for (let split = 1; split < body.length; split++) yield readForm(boundary, inTwo(body, split));
}
