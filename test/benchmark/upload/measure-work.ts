import { join } from 'node:path';
import { ServerProcess } from '../measure/server-process.js';
import { UploadClient } from '../measure/upload-client.js';
import type { Usage } from '../measure/usage.js';
import { verifyFiles } from '../measure/verify-files.js';
import type { ServerKind } from './servers.js';
import { SMALL_REQUESTS, type Work } from './works.js';

export interface Measured extends Usage {
  /** From the first byte sent to the last answer. */
  readonly seconds: number;
}

/** One work on one server, in a process of its own on a fresh folder; throws unless every file is there afterwards. */
export async function measureWork(kind: ServerKind, work: Work, folder: string): Promise<Measured> {
  const root = join(folder, 'files');
  const server = await ServerProcess.start(kind, root);
  const client = new UploadClient(server.port, work.path);
  const sendings = [SMALL_REQUESTS, work.warmUp, work];
  let usage: Usage;
  let seconds: number;
  try {
    await client.send(SMALL_REQUESTS.body); // a server that has no such route is found out by one request
    await client.send(SMALL_REQUESTS.body, SMALL_REQUESTS.requests - 1, SMALL_REQUESTS.atOnce);
    await server.idle();
    await client.send(work.warmUp.body, work.warmUp.requests, work.warmUp.atOnce);
    await server.begin();
    const start = performance.now();
    await client.send(work.body, work.requests, work.atOnce);
    seconds = (performance.now() - start) / 1000;
    usage = await server.end();
  } finally {
    client.close();
    await server.stop();
  }
  await verifyFiles(root, {
    files: sum(sendings.map(({ body, requests }) => body.files * requests)),
    bytes: sum(sendings.map(({ body, requests }) => body.files * body.fileSize * requests)),
  });
  return { ...usage, seconds };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
