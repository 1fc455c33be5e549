import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createDocumentService } from '../src/document-service.js';
import { Settings } from '../src/settings/settings.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** Of an answer in JSON. */
  readonly body: unknown;
}

export interface Asked {
  readonly method?: string;
  /** An API key. */
  readonly key?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** A form, or what becomes JSON. */
  readonly body?: FormData | object | undefined;
}

/** A tenant nobody else has. */
export interface TestTenant {
  readonly id: string;
  /** Its API key. */
  readonly key: string;
}

/** Bytes. */
export const FILE_BYTES = 100 * 1024;
/** Bytes. */
export const TOTAL_BYTES = 150 * 1024;

const TENANTS = 50;
const keyOf = (id: string): string => `key-of-${id}`;
/** Each tenant has it too. */
export const secondKeyOf = (id: string): string => `second-key-of-${id}`;

/** The sample as its reader starts it, on a free port, with a folder of its own, and tenants enough to give each test its own. */
export interface RunningService {
  readonly url: string;
  ask(path: string, asked?: Asked): Promise<Answer>;
  newTenant(): Promise<TestTenant>;
  /** What has come into the folder of the documents since the last tenant was new, whether stored or left by an upload that failed. */
  newFiles(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startService(platform: string, env: NodeJS.ProcessEnv = {}): Promise<RunningService> {
  const root = await mkdtemp(join(tmpdir(), 'documents-'));
  const ids = Array.from({ length: TENANTS }, (_, index) => `t${index}`);
  const tenantsFile = join(root, 'tenants.json');
  await writeFile(tenantsFile, JSON.stringify(Object.fromEntries(ids.map((id) => [id, entryOf(id)]))));
  const settings = await Settings.read({
    PORT: '0',
    PLATFORM: platform,
    DOCUMENTS_ROOT: root,
    TENANTS_FILE: tenantsFile,
    ...env,
  });
  const app = await createDocumentService(settings);
  try {
    await app.listen(settings.port, settings.host);
  } catch (error) {
    await app.close();
    await rm(root, { recursive: true });
    throw error;
  }
  const url = await app.getUrl();
  const filesIn = async (): Promise<string[]> => {
    const entries = await readdir(join(root, 'files'), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  };
  let known = new Set<string>();
  return {
    url,
    ask: (path, asked) => ask(url, path, asked),
    async newTenant() {
      const id = ids.shift();
      if (id === undefined) throw new Error('There are no tenants left: raise TENANTS.');
      known = new Set(await filesIn());
      return { id, key: keyOf(id) };
    },
    async newFiles() {
      return (await filesIn()).filter((path) => !known.has(path));
    },
    async stop() {
      await app.close();
      await rm(root, { recursive: true });
    },
  };
}

function entryOf(id: string): object {
  const keys = [keyOf(id), secondKeyOf(id)].map((key) => createHash('sha256').update(key).digest('hex'));
  return { keys, fileBytes: FILE_BYTES, totalBytes: TOTAL_BYTES };
}

/** Sends a path as it is written: other clients would resolve `..` first. */
export async function ask(url: string, path: string, { method, key, headers, body }: Asked = {}): Promise<Answer> {
  // only fetch's own Request knows how a form is written
  const written = body === undefined ? undefined : new Request(url, { method: 'POST', ...bodyOf(body) });
  const sent = request(url, {
    path,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(written && { 'content-type': written.headers.get('content-type') ?? '' }),
      ...headers,
    },
    agent: false,
  });
  const answered = new Promise<Answer>((resolve, reject) => {
    sent.once('error', reject).once('response', (response) => {
      buffer(response).then((bytes) => {
        const isJson = response.headers['content-type']?.startsWith('application/json') === true;
        const body: unknown = isJson ? JSON.parse(bytes.toString()) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, body });
      }, reject);
    });
  });
  sent.end(written && Buffer.from(await written.arrayBuffer()));
  return answered;
}

function bodyOf(body: FormData | object): RequestInit {
  if (body instanceof FormData) return { body };
  return { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}
