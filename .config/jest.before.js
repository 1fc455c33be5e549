// Before a run, once for all of its projects.
import chooseS3Place from './jest.s3-place.js';
import { buildSqliteThread } from './jest.sqlite-thread.js';

export default async function before() {
  await Promise.all([chooseS3Place(), buildSqliteThread()]);
}
