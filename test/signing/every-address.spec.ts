import dns, { type LookupAddress } from 'node:dns';
import { request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Module } from '@nestjs/common';
import { MemoryStorage, StorageModule } from 'nestjs-storages';
import { createApplication } from '../upload/upload-application.js';
import { PUBLIC, SECRET } from './signing-application.js';

const files = new MemoryStorage();

@Module({ imports: [StorageModule.forRoot({ storages: { files }, serve: { baseUrl: PUBLIC, secrets: [SECRET] } })] })
class AppModule {}

describe('An application that listens without an address', () => {
  // Fastify then listens to every address of `localhost`, by a server for each; a machine's hosts file may name one alone
  beforeAll(() => {
    const lookup = dns.lookup.bind(dns) as (host: string, options: object, found: (...args: unknown[]) => void) => void;
    const both: LookupAddress[] = [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ];
    jest.spyOn(dns, 'lookup').mockImplementation(((
      host: string,
      options: { all?: boolean },
      found: (...args: unknown[]) => void,
    ) => {
      if (host === 'localhost' && options.all === true) found(null, both);
      else lookup(host, options, found);
    }) as never);
  });
  afterAll(() => {
    jest.restoreAllMocks();
  });

  it.each(['127.0.0.1', '::1'])('takes JSON by URL as it is at every address that it has: %s', async (host) => {
    const app = await createApplication(AppModule);
    await app.listen(0);
    try {
      const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
      const upload = await files.uploadUrl('a.json', { expiresIn: 60 });
      if (upload.method !== 'PUT') throw new Error('not a PUT');
      const { url, method, headers } = upload;
      const status = await new Promise((resolve, reject) => {
        request({ host, port, method, headers, path: url.slice(PUBLIC.length), agent: false }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        })
          .on('error', reject)
          .end('{ "not": json');
      });
      expect(status).toBe(200);
    } finally {
      await app.close();
    }
  });
});
