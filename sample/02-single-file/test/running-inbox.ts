import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Storage } from 'nestjs-storages';
import { createInbox } from '../src/inbox-application.js';

/** The sample as its reader starts it, on a free port, with a file of its own. */
export interface RunningInbox {
  readonly url: string;
  readonly folder: string;
  readonly storage: Storage;
  stop(): Promise<void>;
}

export async function startInbox(): Promise<RunningInbox> {
  const folder = await mkdtemp(join(tmpdir(), 'single-file-'));
  process.env['INBOX_FILE'] = join(folder, 'made', 'inbox.db');
  const app = await createInbox();
  await app.listen(0, '127.0.0.1');
  return {
    url: await app.getUrl(),
    folder,
    storage: app.get(Storage, { strict: false }),
    async stop() {
      await app.close();
      await rm(folder, { recursive: true });
    },
  };
}
