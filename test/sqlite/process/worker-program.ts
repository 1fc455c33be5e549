import { pathToFileURL } from 'node:url';

/** Stands in for the module of the same name in lib: the program of the database's threads, as `.config/jest.sqlite-thread.js` has built it for the run. */
export function workerProgram(): URL {
  const program = process.env['NESTJS_STORAGES_SQLITE_THREAD'];
  if (program === undefined)
    throw new Error('The program of the threads is built before a run of Jest, and here was none.');
  return pathToFileURL(program);
}
