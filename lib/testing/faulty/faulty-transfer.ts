import type { StorageData, StoredFileStream } from '../../contract/index.js';
import { openSource } from '../../contract/source/index.js';
import type { Fault } from './fault.js';
import { FaultyBody } from './faulty-body.js';
import { strike } from './strike.js';

/** The source of a put, which goes wrong where the faults say. Without such faults it is the source itself. */
export function sourceThrough(
  data: StorageData,
  faults: readonly Fault[],
  signal: AbortSignal | undefined,
): StorageData {
  const inside = faults.filter((fault) => fault.after !== undefined);
  if (inside.length === 0) return data;
  return new FaultyBody(openSource(data, {}, false).stream, inside, (fault) => strike(fault, signal));
}

/** What is read, which goes wrong where the faults say. Without such faults it is the stream itself. */
export function readThrough(
  stream: StoredFileStream,
  faults: readonly Fault[],
  signal: AbortSignal | undefined,
): StoredFileStream {
  const inside = faults.filter((fault) => fault.after !== undefined);
  if (inside.length === 0) return stream;
  const body = new FaultyBody(stream, inside, (fault) => strike(fault, signal));
  // an unread stream harms nobody
  body.on('error', () => undefined);
  const { file, range } = stream;
  return Object.assign(body, range === undefined ? { file } : { file, range });
}

/** The same for bytes that come as a whole. */
export async function endingEarly(
  bytes: Buffer,
  faults: readonly Fault[],
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const inside = faults.filter(({ after }) => after !== undefined && after <= bytes.length);
  for (const fault of inside.toSorted((a, b) => (a.after ?? 0) - (b.after ?? 0))) {
    if ((await strike(fault, signal)) === 'end') return bytes.subarray(0, fault.after);
  }
  return bytes;
}
