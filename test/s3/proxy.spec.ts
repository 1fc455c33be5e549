import { once } from 'node:events';
import { request as sendRequest, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readAll } from './proxy/exchange.js';
import { FaultProxy } from './proxy/fault-proxy.js';
import { FAULTS, SLOW, type FaultName } from './proxy/faults.js';
import { RecordingServer } from './proxy/recording-server.js';

let server: RecordingServer;
let proxy: FaultProxy;

beforeEach(async () => {
  server = await RecordingServer.start();
  proxy = await FaultProxy.start(server.url);
});

afterEach(async () => {
  await proxy.stop();
  await server.stop();
});

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: readonly string[];
  readonly body?: Buffer;
}

const BODY = Buffer.alloc(300_000, 'a request ');
const PUT = { method: 'PUT', path: '/bucket/key', body: BODY };
const GET = { method: 'GET', path: '/bucket/key' };

/** What the client hears: a status and the body that came, or how the connection ended. */
async function ask({ method = 'GET', path = '/', headers = [], body = Buffer.alloc(0) }: Asked): Promise<string> {
  const given = [...headers, 'Host', 'bucket.example:9', 'Content-Length', String(body.length)];
  const request = sendRequest(`${proxy.url}${path}`, { method, headers: given, setHost: false, agent: false });
  request.end(body);
  let answer: IncomingMessage;
  try {
    [answer] = (await once(request, 'response')) as [IncomingMessage];
  } catch (error) {
    return codeOf(error);
  }
  const head = `${answer.statusCode ?? 0} ${answer.statusMessage ?? ''}`;
  try {
    return `${head}: ${(await readAll(answer)).toString()}`;
  } catch (error) {
    return `${head}, then ${codeOf(error)}`;
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
}

describe('The fault proxy', () => {
  it('passes a request on as it came, with its Host and in the order of its headers, and the answer back', async () => {
    const headers = ['X-Amz-Date', '1', 'authorization', 'AWS4 a, b', 'x-amz-meta-Twice', '1', 'x-amz-meta-Twice', '2'];
    const path = '/bucket/a%20b%2Fc+d?x-id=PutObject&empty';
    expect(await ask({ method: 'PUT', path, headers, body: BODY })).toBe('200 Fine: the answer of the server');
    const [request] = server.requests;
    expect(request).toMatchObject({ method: 'PUT', url: path });
    expect(request?.rawHeaders.slice(0, 12)).toEqual([
      ...headers,
      ...['Host', 'bucket.example:9', 'Content-Length', '300000'],
    ]);
    expect(request?.body.equals(BODY)).toBe(true);
  });

  it.each([
    ['PUT', '/bucket', 'CreateBucket'],
    ['DELETE', '/bucket/', 'DeleteBucket'],
    ['HEAD', '/bucket', 'HeadBucket'],
    ['GET', '/bucket/?list-type=2&prefix=a', 'ListObjectsV2'],
    ['GET', '/bucket?uploads', 'ListMultipartUploads'],
    ['POST', '/bucket/?delete=', 'DeleteObjects'],
    ['PUT', '/bucket/a/b', 'PutObject'],
    ['GET', '/bucket/a?x-id=GetObject', 'GetObject'],
    ['HEAD', '/bucket/a', 'HeadObject'],
    ['DELETE', '/bucket/a', 'DeleteObject'],
    ['POST', '/bucket/a?uploads=', 'CreateMultipartUpload'],
    ['PUT', '/bucket/a?partNumber=1&uploadId=2', 'UploadPart'],
    ['POST', '/bucket/a?uploadId=2', 'CompleteMultipartUpload'],
    ['DELETE', '/bucket/a?uploadId=2', 'AbortMultipartUpload'],
    ['GET', '/bucket/a?uploadId=2', 'ListParts'],
    ['POST', '/bucket/a', 'Unknown'],
  ] as const)('takes %s %s for %s', async (method, path, operation) => {
    await ask({ method, path });
    expect(proxy.calls(operation)).toBe(1);
  });

  it.each([
    ['/bucket/a', 'CopyObject'],
    ['/bucket/a?partNumber=1&uploadId=2', 'UploadPartCopy'],
  ] as const)('takes a PUT of %s with a source for %s', async (path, operation) => {
    await ask({ method: 'PUT', path, headers: ['x-amz-copy-source', 'bucket/b'] });
    expect(proxy.calls(operation)).toBe(1);
  });

  it('lets a fault befall the calls that it is armed for, and no other', async () => {
    proxy.arm({ operation: 'GetObject', nth: 2, times: 2 }, FAULTS['status 500']);
    const statuses: string[] = [];
    for (const asked of [GET, { ...GET, method: 'HEAD' }, GET, GET, GET]) statuses.push((await ask(asked)).slice(0, 3));
    expect(statuses).toEqual(['200', '200', '500', '500', '200']);
    expect(proxy.struck).toBe(2);
    expect(proxy.calls('GetObject')).toBe(4);
  });

  it('counts only the calls whose query is meant', async () => {
    proxy.arm({ operation: 'UploadPart', query: { partNumber: '2', uploadId: undefined } }, FAULTS['status 500']);
    const part = (number: number): Asked => ({ method: 'PUT', path: `/bucket/a?partNumber=${number}&uploadId=1` });
    const statuses: string[] = [];
    for (const number of [1, 3, 2, 2]) statuses.push((await ask(part(number))).slice(0, 3));
    expect(statuses).toEqual(['200', '200', '500', '200']);
  });

  it('ends the request at the server when the client goes away', async () => {
    const request = sendRequest(`${proxy.url}/bucket/key`, { method: 'PUT', headers: { 'Content-Length': 9 } });
    request.on('error', () => undefined).write('half');
    while (server.requests.length === 0) await new Promise(setImmediate);
    request.destroy();
    expect(await server.requests[0]?.ended).toBe('cut');
    expect(await proxy.closed(1000)).toBe(0);
  });

  it('tells how many requests are under way, and how many connections are open', async () => {
    proxy.arm({ operation: 'GetObject' }, FAULTS.hang);
    const request = sendRequest(`${proxy.url}/bucket/key`).on('error', () => undefined);
    request.end();
    while (proxy.struck === 0) await new Promise(setImmediate);
    expect([await proxy.settled(20), await proxy.closed(20)]).toEqual([1, 1]);
    request.destroy();
    expect([await proxy.settled(1000), await proxy.closed(1000)]).toEqual([0, 0]);
  });
});

const ANSWERED = '200 Fine: the answer of the server';
const xml = (head: string, body: string): string => `${head}: <?xml version="1.0" encoding="UTF-8"?>\n${body}`;
const error = (head: string, code: string): string =>
  xml(head, `<Error><Code>${code}</Code><RequestId>proxy</RequestId></Error>`);

/** What the client hears, and what comes of the request's 300,000 bytes to the server (nothing: no request). */
const EXPECTED: Record<FaultName, readonly [heard: string, arrived: number | undefined]> = {
  'reset before': ['ECONNRESET', undefined],
  'reset in the request': ['ECONNRESET', 150_000],
  'reset in the answer': ['200 Fine, then ECONNRESET', 300_000],
  'lost answer': ['ECONNRESET', 300_000],
  'status 500': [error('500 Internal Server Error', 'InternalError'), undefined],
  'status 503': [error('503 Service Unavailable', 'SlowDown'), undefined],
  'status 429': [error('429 Too Many Requests', 'TooManyRequests'), undefined],
  'truncated request': ['400 Bad Request: ', 150_000],
  'truncated answer': ['200 Fine, then ECONNRESET', 300_000],
  'corrupted request': [ANSWERED, 300_000],
  'corrupted answer': ['200 Fine: the answer og the server', 300_000],
  hang: ['nothing', undefined],
  'hang in the answer': ['nothing', 300_000],
  slow: [ANSWERED, 300_000],
  '200 with an error': [
    xml(
      '200 OK',
      '   \n<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message>' +
        '<RequestId>proxy</RequestId></Error>',
    ),
    undefined,
  ],
  redirect: [error('307 Temporary Redirect', 'TemporaryRedirect'), undefined],
};

describe('Of the faults', () => {
  it.each(Object.entries(EXPECTED))('"%s" does what its name says', async (name, [heard, arrived]) => {
    proxy.arm({ operation: 'PutObject' }, FAULTS[name as FaultName]);
    const asked = ask(PUT);
    if (heard === 'nothing') {
      while (proxy.struck === 0) await new Promise(setImmediate);
      expect(await proxy.settled(50)).toBe(1);
    } else {
      expect(await asked).toBe(heard);
    }
    expect(proxy.struck).toBe(1);
    if (arrived !== undefined) while (server.requests.length === 0) await new Promise(setImmediate);
    const [request] = server.requests;
    await request?.ended;
    expect(request?.body.length).toBe(arrived);
    expect(request?.body.equals(BODY.subarray(0, arrived))).toBe(request && name !== 'corrupted request');
  });

  it('"slow" takes its time both ways', async () => {
    proxy.arm({ operation: 'PutObject' }, FAULTS.slow);
    const began = performance.now();
    await ask(PUT);
    expect(performance.now() - began).toBeGreaterThan(0.75 * (SLOW.request + SLOW.answer));
  });

  it('half of an answer to HEAD is half of a head', async () => {
    proxy.arm({ operation: 'HeadObject', times: 2 }, FAULTS['truncated answer']);
    expect(await ask({ method: 'HEAD', path: '/bucket/key' })).toBe('ECONNRESET');
  });

  it('an error inside the answer to DeleteObjects is that of its first key', async () => {
    proxy.arm({ operation: 'DeleteObjects' }, FAULTS['200 with an error']);
    const body = Buffer.from('<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>');
    expect(await ask({ method: 'POST', path: '/bucket?delete', body })).toContain('<Error><Key>a</Key><Code>');
  });
});
