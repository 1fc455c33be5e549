// After a run, once for all of its projects.
import stopS3Server from './jest.s3-stop.js';
import { removeSqliteThread } from './jest.sqlite-thread.js';

export default async function after() {
  // neither is left undone where the other fails
  const ended = await Promise.allSettled([stopS3Server(), removeSqliteThread()]);
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
}
