// Before a run: where its Ceph is to be, should any suite ask for it (test/s3/server/s3-server.ts). Nothing is started here.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The first of a hundred ports, below those that the system gives out by itself. */
async function freePort() {
  for (;;) {
    const port = 10_000 + 100 * Math.floor(Math.random() * 220);
    const server = createServer();
    server.listen(port, '127.0.0.1');
    // once() rejects at an error
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.close();
    if (isFree) return port;
  }
}

export default async function setUp() {
  // short: the sockets of Ceph have their path in it
  process.env.NESTJS_STORAGES_CEPH_DIR = join(tmpdir(), `nestjs-storages-ceph-${process.pid}`);
  process.env.NESTJS_STORAGES_CEPH_PORT = String(await freePort());
}
