import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import Database from 'better-sqlite3';
import { FileSystemStorage, type Storage } from 'nestjs-storages';
import { S3Storage } from 'nestjs-storages/s3';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { S3Server, s3Server } from '../../s3/server/s3-server.js';
import { WatchedStorage } from '../../upload/watched-storage.js';

/** A storage that uploads go to, and everything that is in it. */
export interface OpenBackend {
  readonly storage: Storage;
  /** Where its files are, if it has any: what no answer may tell. */
  readonly folder?: string;
  /** Objects, temporaries, files that are staged: each one by a name of its own. Empty after every request that has failed. */
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
}

export interface Backend {
  readonly name: string;
  create(): Promise<OpenBackend>;
}

const memory: Backend = {
  name: 'memory',
  create: () => {
    const storage = new WatchedStorage();
    return Promise.resolve({
      storage,
      leftovers: async () => [
        ...(await storage.keys()),
        ...(storage.staged > 0 ? [`${storage.staged} staged`] : []),
        ...(storage.staging > 0 ? [`${storage.staging} being staged`] : []),
      ],
      close: () => storage.close(),
    });
  },
};

/** The record that a living process has the root; see lib/backends/filesystem. */
const ALIVE = join('.storages', 'procs') + sep;

const filesystem: Backend = {
  name: 'filesystem',
  create: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nestjs-storages-hostile-'));
    const storage = new FileSystemStorage({ root: folder, durability: 'fast' });
    return {
      storage,
      folder,
      leftovers: async () => (await filesBelow(folder)).filter((path) => !path.startsWith(ALIVE)),
      close: async () => {
        await storage.close();
        await rm(folder, { recursive: true });
      },
    };
  },
};

const sqlite: Backend = {
  name: 'sqlite',
  create: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nestjs-storages-hostile-'));
    const filename = join(folder, 'files.db');
    // chunks of 64 KiB, so that most bodies have several
    const storage = new SQLiteStorage({ filename, durability: 'fast', chunkSize: 64 * 1024, inlineSize: 1024 });
    await storage.open();
    // beside the storage's own connections: what it says of itself is what is under attack
    const database = new Database(filename, { readonly: true });
    const [objects, uploads] = ['files', 'files$uploads'].map((table) =>
      database.prepare<[], { readonly key: string }>(`SELECT key FROM "${table}"`),
    );
    return {
      storage,
      folder,
      leftovers: () =>
        Promise.resolve([
          ...(objects?.all() ?? []).map(({ key }) => key),
          ...(uploads?.all() ?? []).map(({ key }) => `upload of ${key}`),
        ]),
      close: async () => {
        database.close();
        await storage.close();
        await rm(folder, { recursive: true });
      },
    };
  },
};

const s3: Backend = {
  name: 's3',
  create: async () => {
    const server = await s3Server('The attack on S3');
    if (server === undefined) throw new Error('There is no server to attack.');
    // sockets that are kept for the next request are descriptors too
    const alone = { httpAgent: { keepAlive: false } };
    const client = new S3Client({ ...server.connection, requestHandler: alone });
    const observer = new S3Server(server.connection, alone);
    const bucket = await observer.makeBucket();
    const storage = new S3Storage({ client, bucket, partSize: 5 * 1024 * 1024 });
    await storage.open();
    return {
      storage,
      leftovers: async () => [
        ...(await observer.keys(bucket)),
        ...(await observer.openUploads(bucket)).map((upload) => `upload of ${upload}`),
      ],
      close: async () => {
        await storage.close();
        await observer.removeBucket(bucket);
      },
    };
  },
};

/** Every backend that is attacked. */
export const BACKENDS: readonly Backend[] = [memory, filesystem, sqlite, s3];

/** What is no folder, relative to the folder. One that is being removed meanwhile is not there. */
export async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const entries = await readdir(next, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else files.push(relative(folder, path));
    }
  }
  return files;
}
