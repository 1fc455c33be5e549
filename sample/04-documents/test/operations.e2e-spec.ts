import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../01-gallery/test/eventually.js';
import { formOf } from './form-of.js';
import { type Answer, ask as askOf, type Asked } from './running-service.js';
import { ServiceProcess } from './service-process.js';

const KEY = 'acme-demo-key';

const PLATFORMS = ['express', 'fastify'];
let programs: ReadonlyMap<string, ServiceProcess>;

// together: a start takes seconds
beforeAll(async () => {
  programs = new Map(
    await Promise.all(
      PLATFORMS.map(async (PLATFORM) => {
        return [PLATFORM, await ServiceProcess.start({ PLATFORM, TRACING: 'console' })] as const;
      }),
    ),
  );
});

afterAll(async () => {
  await Promise.all([...programs.values()].map((program) => program.stop()));
});

describe.each(PLATFORMS)('who runs the program on %s', (platform) => {
  let program: ServiceProcess;

  beforeAll(() => {
    const started = programs.get(platform);
    if (started === undefined) throw new Error(`${platform} was not started.`);
    program = started;
  });

  const ask = (path: string, asked?: Asked): Promise<Answer> => askOf(program.url, path, asked);

  it('is told where it is, what is in it, and that the keys are known to everybody', () => {
    expect(program.output).toContain(`on ${platform}`);
    expect(program.output).toContain(program.root);
    expect(program.output).toContain('acme-demo-key and globex-demo-key');
  });

  it('is told whether it works, without a key, and which storage does not', async () => {
    const healthy = await ask('/health');
    expect([healthy.status, healthy.body]).toMatchObject([
      200,
      { status: 'ok', info: { files: { status: 'up' }, derived: { status: 'up' } } },
    ]);
    // as when a volume goes
    const files = join(program.root, 'files');
    await rename(files, `${files} away`);
    await writeFile(files, 'no folder');
    const broken = await ask('/health');
    expect([broken.status, broken.body]).toMatchObject([
      503,
      { error: { files: { status: 'down' } }, info: { derived: { status: 'up' } } },
    ]);
    expect(broken.bytes.toString()).not.toContain(program.root);
    await rename(files, `${files} broken`);
    await rename(`${files} away`, files);
    expect((await ask('/health')).status).toBe(200);
  });

  it('finds every route described, with the key that it needs', async () => {
    const home = await ask('/');
    expect([home.status, home.headers.location]).toEqual([302, 'docs']);
    expect((await ask('/docs')).bytes.toString()).toContain('swagger-ui');
    expect((await ask('/docs/swagger-ui-bundle.js')).status).toBe(200);
    const { paths } = (await ask('/docs-json')).body as {
      readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly security?: object[] }>>>>;
    };
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security }]) => [`${method} ${path}`, security] as const),
    );
    expect(operations.filter(([, security]) => security === undefined).map(([name]) => name)).toEqual(['get /health']);
    expect(operations.map(([name]) => name).toSorted()).toEqual([
      'delete /documents/{path}',
      'delete /reports/{path}',
      'get /archive',
      'get /documents',
      'get /documents/{path}',
      'get /health',
      'get /reports',
      'get /reports/{path}',
      'get /usage',
      'patch /documents/{path}',
      'post /documents',
      'post /documents/{path}/share',
      'post /reports',
    ]);
    expect(paths['/documents']?.['post']).toMatchObject({
      requestBody: { content: { 'multipart/form-data': { schema: { required: ['files'] } } } },
    });
  });

  it('sees each request on the console, with what the storages did for it, and no name of a document', async () => {
    await ask('/documents', { key: KEY, body: formOf({ 'lease.txt': 'terms' }) });
    await ask('/documents/lease.txt', { key: KEY });
    await ask('/documents/lease.txt');
    // the last one
    await eventually(
      () => Promise.resolve(program.output),
      (output) => output.includes('status_code=401'),
    );
    const traceOf = (name: string): string | undefined =>
      program.output.split(/\n(?! )/).find((trace) => trace.startsWith(`DocumentsController.${name} `));
    const [upload, download] = [traceOf('upload'), traceOf('download')];
    expect(upload).toMatch(/^DocumentsController\.upload .* tenant=acme .*status_code=201\n/);
    expect(upload).toMatch(/\n {2}stage documents .*\n {4}stage files /);
    expect(download).toMatch(/^DocumentsController\.download .*status_code=200/);
    expect(download).toMatch(/\n {2}get tenant .*\n {4}get documents .*\n {6}get files .*bytes=5/);
    expect(program.output).toMatch(/\nGET .*status_code=401\n/);
    expect(program.output).not.toContain('lease');
  });
});
