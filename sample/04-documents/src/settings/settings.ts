import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** The demonstration's tenants, whose keys the README tells. */
export const DEMO_TENANTS = fileURLToPath(new URL('../../tenants.json', import.meta.url));

/** What this service is told by its environment. A class, so that it is a token of dependency injection. */
export class Settings {
  private constructor(
    /** The folder of all that is stored, made when it is missing. `DOCUMENTS_ROOT`, default `var/documents` under the working directory. */
    readonly root: string,
    /** `TENANTS_FILE`: who may come in, and how much each may store. Default: the demonstration's. */
    readonly tenantsFile: string,
    /** `PLATFORM`, default express. */
    readonly platform: 'express' | 'fastify',
    /** `PORT`, default 3000; 0 takes a free one. */
    readonly port: number,
    /** `HOST`, default this machine only. */
    readonly host: string,
    /** What share links begin with. `PUBLIC_URL`, default this machine's own address and the port. */
    readonly publicUrl: string,
    /** What signs share links: `URL_SECRET`, at least 32 bytes. Else a new one, and links end with the process. */
    readonly urlSecret: string,
    /** `TRACING=console`: each request, and what the storages did for it, on the console. Default: off. */
    readonly tracing: 'off' | 'console',
  ) {}

  /** @throws Error that names the variable */
  static async read(env: NodeJS.ProcessEnv = process.env): Promise<Settings> {
    const asked = Number(env['PORT'] ?? 3000);
    if (!Number.isInteger(asked) || asked < 0 || asked > 65_535) {
      throw new Error(`PORT must be a number from 0 to 65535, not ${JSON.stringify(env['PORT'])}.`);
    }
    const platform = env['PLATFORM'] ?? 'express';
    if (platform !== 'express' && platform !== 'fastify') {
      throw new Error(`PLATFORM must be express or fastify, not ${JSON.stringify(platform)}.`);
    }
    const tracing = env['TRACING'] ?? 'off';
    if (tracing !== 'off' && tracing !== 'console') {
      throw new Error(`TRACING must be console or off, not ${JSON.stringify(tracing)}.`);
    }
    const host = env['HOST'] ?? '127.0.0.1';
    // links need to know the port before the application listens on it
    const port = asked === 0 ? await freePort(host) : asked;
    return new Settings(
      env['DOCUMENTS_ROOT'] ?? 'var/documents',
      env['TENANTS_FILE'] ?? DEMO_TENANTS,
      platform,
      port,
      host,
      env['PUBLIC_URL'] ?? `http://localhost:${port}`,
      env['URL_SECRET'] ?? randomBytes(32).toString('base64url'),
      tracing,
    );
  }
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
