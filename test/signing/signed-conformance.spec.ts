import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { FileSystemStorage, MemoryStorage, ScopedStorage, type BaseStorage } from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { conformanceChecks, runConformance, type OpenedStorage } from 'nestjs-storages/testing';
import { JournalStorage } from '../readme/custom-backend.js';
import { SigningApplication } from './signing-application.js';

const OF_URLS = new Set(
  conformanceChecks
    .filter(({ needs, name }) => needs === 'uploadUrls' || needs === 'signedUrls' || /\burl|\bURL/i.test(name))
    .map(({ name }) => name),
);

const BACKENDS: Readonly<Record<string, (folder: string) => BaseStorage>> = {
  MemoryStorage: () => new MemoryStorage(),
  FileSystemStorage: (folder) => new FileSystemStorage({ root: folder, durability: 'fast' }),
  'FileSystemStorage with a public address': (folder) =>
    new FileSystemStorage({ root: folder, durability: 'fast', baseUrl: 'https://cdn.example.com' }),
  SQLiteStorage: (folder) => new SQLiteStorage({ filename: join(folder, 'files.db'), durability: 'fast' }),
  'a storage of the user': (folder) => new JournalStorage({ folder }),
  'a view of a storage that is not registered': () => new ScopedStorage(new MemoryStorage(), 'below/'),
};

const { nestMajor, platform } = globalThis as { readonly nestMajor?: number; readonly platform?: string };
// the routes differ by the platform, what lies behind them does not
const everyBackend = nestMajor === 12 && platform === undefined;

describe.each(Object.entries(BACKENDS).slice(0, everyBackend ? undefined : 1))(
  '%s, with URLs that the module signs,',
  (name, make) => {
    it('keeps every promise on URLs', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'nestjs-storages-signing-'));
      const own = make(folder).capabilities;
      const apps = new Map<string, SigningApplication>();
      const report = await runConformance<OpenedStorage>(
        {
          name,
          capabilities: { ...own, urls: 'signed', uploadUrls: true, oneTimeUrls: false },
          create: async () => {
            const baseUrl = `https://${apps.size}.example.com`;
            await mkdir(join(folder, String(apps.size)));
            const storages = { files: make(join(folder, String(apps.size))) };
            const app = await SigningApplication.start({ storages, serve: { baseUrl } });
            apps.set(baseUrl, app);
            return { storage: storages.files, close: () => app[Symbol.asyncDispose]() };
          },
          fetch: (input, init) => {
            const { origin } = new URL(input instanceof Request ? input.url : input);
            const app = apps.get(origin);
            // a public address leads elsewhere: only what is signed leads here
            return app === undefined
              ? Promise.reject(new Error(`${origin} is no application`))
              : app.fetch(input, init);
          },
        },
        { only: (check) => OF_URLS.has(check.name) && !(own.urls === 'public' && check.needs === 'workingUrls') },
      );
      expect(report.failed.map((each) => `${each.name}: ${String(each.error)}`)).toEqual([]);
      expect(report.results.length).toBeGreaterThan(12);
      await rm(folder, { recursive: true });
    });
  },
);
