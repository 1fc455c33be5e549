import type { StoredFile } from 'nestjs-storages';
import type { FaultName } from '../proxy/faults.js';
import type { Trigger } from '../proxy/fault-proxy.js';
import { ATTEMPTS, bytes, PART, source, type Place } from './place.js';

/** Of one column: which request the fault befalls, and the call of the storage that makes it. */
export interface Column {
  readonly trigger: Omit<Trigger, 'times'>;
  /** What befalls the request before the one that the fault is for. */
  readonly before?: FaultName;
  /** Puts there, past the proxy, what the call needs. */
  readonly prepare?: (place: Place) => Promise<void>;
  /** Calls the storage. What is wrong with what it gives is thrown too. */
  readonly call: (place: Place) => Promise<StoredFile | undefined>;
  /** How many requests of its kind there may be, where that is more than the tries of one. */
  readonly most?: number;
  /** The object that the call makes. */
  readonly makes?: { readonly key: string; readonly size: number; readonly isOnePart?: boolean };
  /** Faults that cannot befall it: it has no body to cut or damage. */
  readonly without: readonly FaultName[];
}

const OF_REQUEST_BODY = ['reset in the request', 'truncated request', 'corrupted request'] as const;
const OF_ANSWER_BODY = ['corrupted answer'] as const;

const ONE = 300_000;
const TWO_PARTS = PART + 1000;
const THREE_PARTS = 2 * PART + 1000;
/** More than one page of a listing, which is of 1,000. */
export const LISTED = 1001;

/** Thrown by a source in the place of its end. */
export class BrokenSource extends Error {}

function upload(size: number, trigger: Column['trigger'], without: Column['without']): Column {
  return {
    trigger,
    without,
    makes: { key: 'a.txt', size },
    call: ({ storage }) => storage.put('a.txt', source(size)),
  };
}

function part(number: number, size: number): Column {
  const trigger = { operation: 'UploadPart', query: { partNumber: String(number) } } as const;
  return upload(size, trigger, OF_ANSWER_BODY);
}

function read(before: FaultName | undefined): Column {
  return {
    trigger: { operation: 'GetObject' },
    ...(before && { before }),
    // each brings the read further
    most: Infinity,
    without: OF_REQUEST_BODY,
    prepare: (place) => place.give('a.txt', ONE),
    call: async ({ storage }) => {
      const stream = await storage.get('a.txt');
      const chunks: Buffer[] = [];
      for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
      if (!Buffer.concat(chunks).equals(bytes(ONE))) throw new Error('What was read is not what is there.');
      return stream.file;
    },
  };
}

/** A put ends with what its source failed with, and with nothing else. */
async function expectFailure(put: Promise<unknown>, failure: BrokenSource): Promise<void> {
  try {
    await put;
  } catch (error) {
    if (error instanceof Error && error.cause === failure) return;
    throw error;
  }
  throw new Error('The source failed, and the put did not.');
}

/** Create to Abort are of an upload in parts (First, Middle and Last are UploadPart), PutNew is a create-only put, Resume goes on with a read that broke off, PartCopy is a copy by parts, Parts the look after an abort whether it held. */
export const COLUMNS = {
  Create: upload(TWO_PARTS, { operation: 'CreateMultipartUpload' }, OF_REQUEST_BODY),
  First: part(1, TWO_PARTS),
  Middle: part(2, THREE_PARTS),
  Last: part(2, TWO_PARTS),
  Complete: upload(TWO_PARTS, { operation: 'CompleteMultipartUpload' }, []),
  Abort: {
    trigger: { operation: 'AbortMultipartUpload' },
    without: [...OF_REQUEST_BODY, ...OF_ANSWER_BODY],
    // repeated in four rounds: nobody else removes the upload
    most: 4 * ATTEMPTS,
    // the source fails after a part, and what was uploaded is to go
    call: async ({ storage }) => {
      const failure = new BrokenSource();
      await expectFailure(storage.put('a.txt', source(TWO_PARTS, failure)), failure);
      return undefined;
    },
  },
  Put: upload(ONE, { operation: 'PutObject' }, OF_ANSWER_BODY),
  PutNew: {
    trigger: { operation: 'PutObject' },
    without: OF_ANSWER_BODY,
    makes: { key: 'a.txt', size: ONE },
    call: ({ storage }) => storage.put('a.txt', source(ONE), { ifNoneMatch: '*' }),
  },
  Get: read(undefined),
  Resume: read('truncated answer'),
  Head: {
    trigger: { operation: 'HeadObject' },
    without: [...OF_REQUEST_BODY, ...OF_ANSWER_BODY, '200 with an error'],
    prepare: (place) => place.give('a.txt', ONE),
    call: ({ storage }) => storage.info('a.txt'),
  },
  List: {
    trigger: { operation: 'ListObjectsV2', query: { 'continuation-token': undefined } },
    without: OF_REQUEST_BODY,
    call: async ({ storage }) => {
      const keys = new Set<string>();
      for await (const { key } of storage.list()) keys.add(key);
      if (keys.size !== LISTED) throw new Error(`${keys.size} keys were listed of ${LISTED}.`);
      return undefined;
    },
  },
  Copy: {
    trigger: { operation: 'CopyObject' },
    without: OF_REQUEST_BODY,
    prepare: (place) => place.give('from.txt', ONE),
    makes: { key: 'a.txt', size: ONE },
    call: ({ storage }) => storage.copy('from.txt', 'a.txt'),
  },
  PartCopy: {
    trigger: { operation: 'UploadPartCopy' },
    without: OF_REQUEST_BODY,
    prepare: (place) => place.give('from.txt', TWO_PARTS),
    makes: { key: 'a.txt', size: TWO_PARTS, isOnePart: true },
    call: ({ storage }) => storage.copy('from.txt', 'a.txt', { ifNoneMatch: '*' }),
  },
  Parts: {
    trigger: { operation: 'ListParts' },
    without: OF_REQUEST_BODY,
    // asked in each of the four rounds of an abort
    most: 4 * ATTEMPTS,
    // the source fails while a part is on its way, which could arrive after the abort
    call: async ({ storage, proxy }) => {
      const failure = new BrokenSource();
      const broken = async function* (): AsyncGenerator<Buffer> {
        yield bytes(TWO_PARTS);
        while (proxy.calls('UploadPart') === 0) await new Promise((resolve) => setImmediate(resolve));
        throw failure;
      };
      await expectFailure(storage.put('a.txt', broken()), failure);
      return undefined;
    },
  },
  DeleteOne: {
    trigger: { operation: 'DeleteObject' },
    without: [...OF_REQUEST_BODY, ...OF_ANSWER_BODY],
    prepare: (place) => place.give('a', 10),
    call: async (place) => {
      await place.storage.delete('a');
      const left = await place.keys();
      if (left.length > 0) throw new Error(`What was deleted is there: ${left.join()}`);
      return undefined;
    },
  },
  Delete: {
    trigger: { operation: 'DeleteObjects' },
    without: [],
    prepare: async (place) => {
      await Promise.all(['a', 'b'].map((key) => place.give(key, 10)));
    },
    call: async (place) => {
      const { failed } = await place.storage.deleteMany(['a', 'b']);
      const [failure] = failed;
      if (failure !== undefined) throw failure.error;
      const left = await place.keys();
      if (left.length > 0) throw new Error(`What was deleted is there: ${left.join()}`);
      return undefined;
    },
  },
} as const satisfies Record<string, Column>;

export type ColumnName = keyof typeof COLUMNS;
