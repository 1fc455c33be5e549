import { field, file, form, type Part } from '../../upload/form.js';
import type { Headers, Reply } from '../client/connection.js';
import type { Expected, ExpectedFile, HostileCase } from '../run/hostile-case.js';

export const KiB = 1024;
export const MiB = 1024 * 1024;

/** The content of a good file of these cases. */
export const CONTENT = 'the content of a file';

/** A form that every route takes. */
export const GOOD_PARTS: readonly Part[] = [field('a', '1'), file(CONTENT), field('b', '2')];
export const GOOD = form(...GOOD_PARTS);

/** The answer to {@link GOOD}. */
export const GOOD_TAKEN: Expected = { status: 201, files: [{ data: CONTENT }], fields: { a: '1', b: '2' } };

export const taken = (files: readonly ExpectedFile[] = [], fields: unknown = {}): Expected => ({
  status: 201,
  files,
  fields,
});

export const refused = (status: number, code: string, rest: Partial<Expected> = {}): Expected => ({
  status,
  code,
  ...rest,
});

export const CLOSED: Expected = { status: 'closed' };

/** What Node's own HTTP parser refuses never comes to an upload: the server answers it by itself, and ends the connection. */
export const BY_NODE: Expected = { status: [400, 413, 431, 'closed'] };

/** The client has gone, or has half-closed in the middle: an answer is not owed, and a refusal is one. */
export const GONE: Expected = { status: [400, 'closed'] };

export const UNEXPECTED_END = refused(400, 'MULTIPART_UNEXPECTED_END_OF_FORM');
export const MALFORMED_HEADER = refused(400, 'MULTIPART_MALFORMED_PART_HEADER');
export const BOUNDARY_NOT_FOUND = refused(400, 'MULTIPART_BOUNDARY_NOT_FOUND');

/** One request over a connection of its own, and its answer. */
export function posted(
  name: string,
  path: string,
  body: Buffer | string,
  expects: Expected,
  headers: Headers = {},
  rest: Partial<HostileCase> = {},
): HostileCase {
  return { name, attack: (target) => target.post(path, body, headers), expects, ...rest };
}

/** Runs so many at once, each taking the next piece of work when it has done one. */
export async function shared<T>(
  work: readonly T[],
  lanes: number,
  run: (lane: number, one: T) => Promise<Reply>,
): Promise<Reply[]> {
  const replies: Reply[] = [];
  const queue = [...work.entries()];
  const lane = async (number: number): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      replies[next[0]] = await run(number, next[1]);
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  return replies;
}

/** A body in one chunk of HTTP's chunked encoding. */
export function chunk(data: Buffer | string): Buffer {
  const bytes = Buffer.from(data);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

export const LAST_CHUNK = '0\r\n\r\n';

/** A body in several chunks, with the last one. */
export const chunked = (...pieces: readonly (Buffer | string)[]): Buffer =>
  Buffer.concat([...pieces.filter((piece) => piece.length > 0).map(chunk), Buffer.from(LAST_CHUNK)]);
