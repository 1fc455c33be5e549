import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Server, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  Controller,
  Get,
  Logger,
  NotFoundException,
  Param,
  Res,
  UseFilters,
  type ArgumentsHost,
  type INestApplication,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { Test } from '@nestjs/testing';
import {
  AbortError,
  ConfigurationError,
  ConnectionError,
  FileExistsError,
  FileNotFoundError,
  FileTooLargeError,
  IntegrityError,
  InvalidArgumentError,
  InvalidKeyError,
  MemoryStorage,
  PermissionError,
  PreconditionFailedError,
  QuotaExceededError,
  RangeNotSatisfiableError,
  SourceError,
  Storage,
  StorageClosedError,
  StorageError,
  StorageExceptionFilter,
  StorageModule,
  TimeoutError,
  UnsupportedOperationError,
} from 'nestjs-storages';

const ERRORS: readonly (readonly [StorageError, number])[] = [
  [new FileNotFoundError('a.txt'), 404],
  [new FileExistsError('a.txt'), 409],
  [new PreconditionFailedError('Another version.'), 412],
  [new InvalidKeyError('A bad key.', 'empty'), 400],
  [new InvalidArgumentError('A bad argument.'), 400],
  [new RangeNotSatisfiableError(7), 416],
  [new IntegrityError('Other bytes.'), 422],
  [new FileTooLargeError('Too large.'), 413],
  [new PermissionError('secret: the credentials have expired'), 503],
  [new QuotaExceededError('secret: full'), 507],
  [new ConnectionError('secret: host down'), 503],
  [new TimeoutError('secret: slow'), 504],
  [new StorageClosedError(), 503],
  [new UnsupportedOperationError('secret: cannot'), 501],
  [new ConfigurationError('secret: wrong'), 500],
  [new AbortError('secret: aborted'), 503],
  [new SourceError('secret: source'), 500],
  [new StorageError('secret: else'), 500],
];

@Controller()
class FileController {
  constructor(readonly storage: Storage) {}

  @Get('missing/:key')
  missing(@Param('key') key: string): Promise<Buffer> {
    return this.storage.getBytes(key);
  }

  @Get('error/:index')
  error(@Param('index') index: string): never {
    throw ERRORS[Number(index)]?.[0] ?? new Error('no such error');
  }

  @Get('nest')
  nest(): never {
    throw new NotFoundException('by hand');
  }

  @Get('broken')
  broken(@Res() response: ServerResponse): never {
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.write('half');
    throw new ConnectionError('The disk went away.');
  }

  @Get('ended')
  ended(@Res() response: ServerResponse): never {
    response.end('whole');
    throw new FileNotFoundError('a.txt');
  }
}

const asked = new EventEmitter();

@Controller('gone')
class LeftController {
  /** Fails when its client has gone. */
  @Get(':index')
  async fail(@Param('index') index: string, @Res({ passthrough: true }) response: ServerResponse): Promise<never> {
    const closed = once(response, 'close');
    asked.emit('asked');
    await closed;
    throw ERRORS[Number(index)]?.[0] ?? new Error('no such error');
  }
}

@Controller('filtered')
class FilteredController {
  @Get()
  @UseFilters(StorageExceptionFilter)
  error(): never {
    throw new FileNotFoundError('a.txt');
  }
}

let app: INestApplication;
let origin: string;
let logged: jest.SpiedFunction<Logger['error']>;

async function listen(...settings: { exceptionFilter?: boolean }[]): Promise<void> {
  const module = await Test.createTestingModule({
    imports: settings.map((setting, index) =>
      StorageModule.forRoot({ ...setting, storages: { [`s${index}`]: new MemoryStorage() } }),
    ),
    controllers: [FileController, FilteredController, LeftController],
  }).compile();
  app = module.createNestApplication();
  await app.listen(0, '127.0.0.1');
  origin = `http://127.0.0.1:${((app.getHttpServer() as Server).address() as AddressInfo).port}`;
}

beforeEach(() => {
  logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
});

afterEach(async () => {
  logged.mockRestore();
  await app.close();
});

describe('StorageExceptionFilter', () => {
  it('answers a missing file in the form of a Nest exception, without an entry in the log', async () => {
    await listen({});
    const response = await fetch(`${origin}/missing/a.txt`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      statusCode: 404,
      message: 'There is no file "a.txt" in this storage.',
      error: 'Not Found',
      code: 'FILE_NOT_FOUND',
    });
    expect(logged).not.toHaveBeenCalled();
  });

  it('has a status for each kind of error, and shows the words of those only that the client caused', async () => {
    await listen({});
    for (const [index, [error, status]] of ERRORS.entries()) {
      logged.mockClear();
      const response = await fetch(`${origin}/error/${index}`);
      const body = (await response.json()) as { message: string };
      expect([error.code, response.status]).toEqual([error.code, status]);
      expect(body).toMatchObject({ statusCode: status, code: error.code });
      if (status < 500) expect(body.message).toBe(error.message);
      else expect(JSON.stringify(body)).not.toContain('secret');
      expect(logged).toHaveBeenCalledTimes(status < 500 ? 0 : 1);
      expect(response.headers.get('content-range')).toBe(status === 416 ? 'bytes */7' : null);
    }
  });

  it('logs no abort of what was done for a client that has gone, and every failure of it', async () => {
    const caught = new EventEmitter();
    const original = StorageExceptionFilter.prototype.catch;
    const filter = jest.spyOn(StorageExceptionFilter.prototype, 'catch').mockImplementation(function (
      this: StorageExceptionFilter,
      ...args
    ) {
      original.apply(this, args);
      caught.emit('caught');
    });
    try {
      await listen({});
      for (const [code, times] of [
        ['ABORTED', 0],
        ['CONNECTION_FAILED', 1],
      ] as const) {
        logged.mockClear();
        const index = ERRORS.findIndex(([error]) => error.code === code);
        const [begun, ended] = [once(asked, 'asked'), once(caught, 'caught')];
        const leaving = new AbortController();
        const answer = fetch(`${origin}/gone/${index}`, { signal: leaving.signal });
        await begun;
        leaving.abort();
        await expect(answer).rejects.toThrow();
        await ended;
        expect([code, logged.mock.calls.length]).toEqual([code, times]);
      }
    } finally {
      filter.mockRestore();
    }
  });

  it('leaves all other errors to Nest', async () => {
    await listen({});
    expect(await (await fetch(`${origin}/nest`)).json()).toEqual({
      statusCode: 404,
      message: 'by hand',
      error: 'Not Found',
    });
    expect((await fetch(`${origin}/error/none`)).status).toBe(500);
  });

  it('breaks an answer off that has begun, so that it does not look whole, and leaves one alone that has ended', async () => {
    await listen({});
    // whether its head still gets out or not
    await expect(fetch(`${origin}/broken`).then((broken) => broken.text())).rejects.toThrow();
    expect(await (await fetch(`${origin}/ended`)).text()).toBe('whole');
    expect((await fetch(`${origin}/missing/a.txt`)).status).toBe(404);
  });

  it('is off when one registration says so, and can then be bound by hand', async () => {
    await listen({ exceptionFilter: false }, {});
    const response = await fetch(`${origin}/missing/a.txt`);
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ statusCode: 500, message: 'Internal server error' });
    expect((await fetch(`${origin}/filtered`)).status).toBe(404);
  });

  it('tells a socket as Nest does, and gives nothing back elsewhere, so that Nest handles the error', async () => {
    await listen({});
    const filter = new StorageExceptionFilter(app.get(HttpAdapterHost));
    const client = new EventEmitter();
    const heard: unknown[] = [];
    client.on('exception', (data) => heard.push(data));
    const hostOf = (type: string): ArgumentsHost => {
      const host = new ExecutionContextHost([client, {}]);
      host.setType(type);
      return host;
    };
    filter.catch(new FileNotFoundError('a.txt'), hostOf('ws'));
    expect(heard).toEqual([
      { status: 'error', message: 'There is no file "a.txt" in this storage.', code: 'FILE_NOT_FOUND' },
    ]);
    for (const type of ['rpc', 'graphql']) {
      // eslint-disable-next-line @typescript-eslint/no-confusing-void-expression -- what Nest looks at
      expect(filter.catch(new FileNotFoundError('a.txt'), hostOf(type))).toBeUndefined();
    }
    expect(heard).toHaveLength(1);
  });
});
