// Before a run: where its Ceph is to be, should any suite ask for it (test/s3/server/s3-server.ts). Nothing is started here.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How many a Ceph may use. */
const PORTS = 100;

async function isFree(port) {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  // once() rejects at an error
  const listens = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  server.close();
  return listens;
}

/** The first of a hundred ports, below those that the system gives out by itself. */
async function freePort() {
  for (;;) {
    const port = 10_000 + PORTS * Math.floor(Math.random() * 220);
    const free = await Promise.all(Array.from({ length: PORTS }, (_, index) => isFree(port + index)));
    if (free.every(Boolean)) return port;
  }
}

export default async function setUp() {
  // short: the sockets of Ceph have their path in it
  process.env.NESTJS_STORAGES_CEPH_DIR = join(tmpdir(), `nestjs-storages-ceph-${process.pid}`);
  process.env.NESTJS_STORAGES_CEPH_PORT = String(await freePort());
}
