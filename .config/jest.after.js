// After a run, once for all of its projects.
import stopS3Server from './jest.s3-stop.js';
import { removeSqliteThread } from './jest.sqlite-thread.js';

export default async function after() {
  await Promise.all([stopS3Server(), removeSqliteThread()]);
}
