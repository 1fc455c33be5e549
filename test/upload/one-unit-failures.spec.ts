import { BadRequestException, ConflictException, ServiceUnavailableException } from '@nestjs/common';
import type { Socket } from 'node:net';
import { Transform } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { concat, of, throwError } from 'rxjs';
import { ConnectionError, PermissionError, QuotaExceededError, TimeoutError } from 'nestjs-storages';
import { until } from '../until.js';
import { BOUNDARY, field, file, form, type Part } from './form.js';
import { addedDescriptors, ownDescriptors } from './own-descriptors.js';
import { UnitApplication, UnitStores, type UnitSetup } from './unit-application.js';

const small = Buffer.alloc(100, 1);
const large = Buffer.alloc(300 * 1024, 2);

/** A form of text, and of files for both storages: large ones that are streams, and small ones that are not. */
const PARTS: readonly Part[] = [
  field('title', 'x'),
  file(small, 'avatar', 'a.bin'),
  file(large, 'disk', '1.bin'),
  file(small, 'disk', '2.bin'),
  file(large, 'documents', '3.bin'),
  file(small, 'documents', '4.bin'),
];

interface Failure extends UnitSetup {
  readonly status: number;
  readonly code?: string;
  readonly faults?: (stores: UnitStores) => unknown;
  readonly parts?: readonly Part[];
}

const conflict = (): never => {
  throw new ConflictException();
};
const atLast = (fail: () => never): NonNullable<UnitSetup['options']> => ({
  fields: {
    documents: {
      filter: (incoming) => incoming.originalname !== '4.bin' || fail(),
    },
  },
});
const full = new QuotaExceededError('/srv/secret is full');

const FAILURES: Readonly<Record<string, Failure>> = {
  'the second file is too large': {
    options: { fields: { disk: { limits: { fileSize: 299 * 1024 } } } },
    status: 413,
    code: 'LIMIT_FILE_SIZE',
  },
  'all files together are too large': {
    options: { limits: { totalSize: 600 * 1024 } },
    status: 413,
    code: 'LIMIT_TOTAL_SIZE',
  },
  'the last file is too small': {
    options: { fields: { documents: { limits: { minFileSize: 101 } } } },
    status: 400,
    code: 'FILE_TOO_SMALL',
  },
  'the last file has a wrong type': {
    options: { fields: { documents: { allowedTypes: ['image/*'] } } },
    status: 415,
    code: 'UNSUPPORTED_FILE_TYPE',
  },
  'a required field has no file': {
    options: { fields: { documents: { required: true } } },
    parts: PARTS.slice(0, 4),
    status: 400,
    code: 'MISSING_FILE',
  },
  'a file comes in a field that takes none': {
    parts: [...PARTS, file(small, 'other')],
    status: 400,
    code: 'LIMIT_UNEXPECTED_FILE',
  },
  'a field has one file too many': {
    parts: [...PARTS, file(small, 'avatar', 'b.bin')],
    status: 400,
    code: 'LIMIT_UNEXPECTED_FILE',
  },
  'the form does not end': { parts: [], status: 400, code: 'MULTIPART_UNEXPECTED_END_OF_FORM' },
  'the filter throws': { options: atLast(conflict), status: 409 },
  'the filter rejects': {
    options: { filter: async ({ originalname }) => Promise.resolve(originalname !== '2.bin' || conflict()) },
    status: 409,
  },
  'the filter throws no error': {
    options: {
      filter: () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what applications do
        throw 'no error';
      },
    },
    status: 500,
  },
  'the key throws': {
    options: { fields: { documents: { key: conflict } } },
    status: 409,
  },
  'the key is none': { options: { fields: { documents: { key: () => '' } } }, status: 400, code: 'INVALID_KEY' },
  'two files have one key': {
    options: { fields: { documents: { key: () => 'same' } } },
    status: 409,
    code: 'FILE_EXISTS',
  },
  'the key of the last is taken': {
    options: { fields: { documents: { key: () => 'old/plain' } } },
    status: 409,
    code: 'FILE_EXISTS',
  },
  'the metadata throw': { options: { metadata: conflict }, status: 409 },
  'the metadata of the last cannot be': {
    options: { fields: { documents: { metadata: { note: 'a\u0000b' } } } },
    status: 400,
    code: 'INVALID_ARGUMENT',
  },
  'the transform throws': { options: { fields: { disk: { transform: conflict } } }, status: 409 },
  'the stream of the transform breaks': {
    options: {
      fields: {
        disk: {
          transform: () =>
            new Transform({
              transform: (_chunk, _encoding, done) => {
                done(new ConflictException());
              },
            }),
        },
      },
    },
    status: 409,
  },
  'the scan refuses': { options: { fields: { documents: { scan: () => false } } }, status: 422, code: 'FILE_REJECTED' },
  'the scanner is down': {
    options: {
      scan: () => {
        throw new ServiceUnavailableException();
      },
    },
    status: 503,
  },
  'a checksum differs': {
    options: { fields: { documents: { checksum: { algorithm: 'md5', field: 'md5' } } } },
    parts: [...PARTS, field('md5', '0'.repeat(32))],
    status: 422,
    code: 'CHECKSUM_MISMATCH',
  },
  'onProgress throws': { options: { onProgress: conflict }, status: 409 },
  'an async onProgress rejects': {
    // the types take an async function for one that gives nothing
    options: { onProgress: rejecting },
    status: 409,
  },
  'a pipe refuses': {
    pipes: [
      {
        transform: () => {
          throw new BadRequestException();
        },
      },
    ],
    status: 400,
  },
  'the handler throws': { handler: conflict, status: 409 },
  'the handler rejects': { handler: () => Promise.reject(new ConflictException()), status: 409 },
  'the Observable of the handler fails': { handler: () => throwError(() => new ConflictException()), status: 409 },
  'the Observable of the handler fails after a value': {
    handler: () =>
      concat(
        of(1),
        throwError(() => new ConflictException()),
      ),
    status: 409,
  },
  'the disk is full at its second file': {
    faults: ({ disk }) => disk.fail('stage', { on: 2, error: full }),
    status: 507,
    code: 'STORAGE_FULL',
  },
  'the disk is full in the middle of a file': {
    faults: ({ disk }) => disk.failReading('stage', { afterBytes: 200_000, error: full }),
    status: 507,
    code: 'STORAGE_FULL',
  },
  'the storage may not write': {
    faults: ({ memory }) => memory.fail('stage', { on: 2, error: new PermissionError('EACCES /srv/secret') }),
    status: 503,
    code: 'STORAGE_UNAVAILABLE',
  },
  'the storage cannot say whether the key is taken': {
    faults: ({ disk }) => disk.fail('exists', { error: new ConnectionError('ECONNRESET /srv/secret') }),
    status: 503,
    code: 'STORAGE_UNAVAILABLE',
  },
  'the first commit fails': {
    faults: ({ memory }) => memory.fail('commit', { error: full }),
    status: 507,
    code: 'STORAGE_FULL',
  },
  'the second commit in the same storage fails': {
    faults: ({ disk }) => disk.fail('commit', { on: 2, error: new TimeoutError('/srv/secret is slow') }),
    status: 504,
    code: 'STORAGE_TIMEOUT',
  },
  'the last commit fails, in the other storage': {
    faults: ({ memory }) => memory.fail('commit', { on: 3, error: full }),
    status: 507,
    code: 'STORAGE_FULL',
  },
};

/** As a JavaScript application may have it. */
function rejecting(): unknown {
  return Promise.reject(new ConflictException());
}

describe('A request of several files in several storages, of which nothing is left when', () => {
  let stores: UnitStores;
  let application: UnitApplication | undefined;

  beforeEach(async () => {
    stores = await UnitStores.create();
  });

  afterEach(async () => {
    await application?.close();
    await stores.remove();
    application = undefined;
  });

  const bodyOf = ({ parts = PARTS }: Failure): Buffer =>
    parts.length > 0 ? form(...parts) : form(...PARTS).subarray(0, -`${BOUNDARY}--\r\n`.length);

  describe.each(['beforeHandler', 'afterHandler'] as const)('(%s)', (commit) => {
    it.each(Object.entries(FAILURES))('%s', async (_what, failure) => {
      const before = await stores.state();
      application = await UnitApplication.start(stores, { ...failure, options: { ...failure.options, commit } });
      failure.faults?.(stores);
      const answer = await application.running.send('/upload', bodyOf(failure));
      expect(answer).toMatchObject({
        status: failure.status,
        body: failure.code === undefined ? {} : { code: failure.code },
      });
      expect(JSON.stringify(answer.body)).not.toMatch(/secret|stack/);
      expect(await stores.state()).toEqual(before);
    });
  });

  it.each(['the handler throws', 'the scan refuses', 'the last commit fails, in the other storage'])(
    '%s 50 times over one connection, and no listener and no descriptor either',
    async (what) => {
      const failure = FAILURES[what];
      if (failure === undefined) throw new Error(what);
      application = await UnitApplication.start(stores, failure);
      const before = await stores.state();
      const sockets = new Set<Socket>();
      application.running.server.on('connection', (socket) => sockets.add(socket));
      const client = await application.running.connect();
      const listeners = (): number =>
        [...sockets].reduce(
          (sum, socket) => sum + socket.eventNames().reduce((all, name) => all + socket.listenerCount(name), 0),
          0,
        );
      // the first requests load what they need
      let most = 0;
      let descriptors: string[] = [];
      for (let round = 0; round < 50; round++) {
        failure.faults?.(stores);
        client.post(bodyOf(failure));
        expect((await client.answer()).status).toBe(failure.status);
        stores.memory.clearFaults();
        stores.disk.clearFaults();
        if (round >= 5) continue;
        most = Math.max(most, listeners());
        descriptors = ownDescriptors(stores.root);
      }
      expect(sockets.size).toBe(1);
      await until('no listener is left of 45 requests', () => listeners() <= most);
      const isLeft = (): boolean => addedDescriptors(descriptors, ownDescriptors(stores.root)).length > 0;
      await until('no descriptor is left of 45 requests', () => !isLeft());
      expect(await stores.state()).toEqual(before);
      client.destroy();
    },
  );

  it('the client is gone, wherever in its body', async () => {
    let handled = 0;
    application = await UnitApplication.start(stores, { handler: () => ++handled });
    const body = form(...PARTS);
    const before = await stores.state();
    const positions = [0, 1, 60, 200, 300, body.length - 1, body.length - 2, body.length - 20];
    for (let at = 5000; at < body.length; at += Math.floor(body.length / 16)) positions.push(at);
    const descriptors = ownDescriptors(stores.root);
    for (const [index, position] of positions.entries()) {
      const client = await application.running.connect();
      client.head({ 'Content-Length': String(body.length) });
      await client.send(body.subarray(0, position));
      if (index % 2 === 0) client.destroy();
      else client.socket.resetAndDestroy();
    }
    await application.running.untilNoConnection();
    await stores.untilState(before);
    expect(handled).toBe(0);
    const isLeft = (): boolean => addedDescriptors(descriptors, ownDescriptors(stores.root)).length > 0;
    await until('no descriptor is left', () => !isLeft());
  });
});
