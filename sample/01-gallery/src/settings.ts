import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Where this application keeps its files, where it listens, and what it signs links with, by environment variable. */
export interface Settings {
  /** The folder of the stored files, made when it is missing. `GALLERY_ROOT`, default `var/gallery` under the working directory. */
  readonly root: string;
  /** `PORT`, default 3000; 0 takes a free one. */
  readonly port: number;
  /** `HOST`, default this machine only, for nobody has to log in here. `0.0.0.0` lets a phone in the same network in. */
  readonly host: string;
  /** What shared links begin with. `PUBLIC_URL`, default this machine's own address and the port. */
  readonly baseUrl: string;
  /** What signs links: `URL_SECRET`, at least 32 bytes. Else a new one, and links end with the process. */
  readonly secret: string;
}

export async function readSettings(env: NodeJS.ProcessEnv = process.env): Promise<Settings> {
  const asked = Number(env['PORT'] ?? 3000);
  if (!Number.isInteger(asked) || asked < 0 || asked > 65_535) {
    throw new Error(`PORT must be a number from 0 to 65535, not ${JSON.stringify(env['PORT'])}.`);
  }
  const host = env['HOST'] ?? '127.0.0.1';
  // Links need to know the port before the application listens on it.
  const port = asked === 0 ? await freePort(host) : asked;
  return {
    root: env['GALLERY_ROOT'] ?? 'var/gallery',
    port,
    host,
    baseUrl: env['PUBLIC_URL'] ?? `http://localhost:${port}`,
    secret: env['URL_SECRET'] ?? randomBytes(32).toString('base64url'),
  };
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
