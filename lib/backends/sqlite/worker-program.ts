/** The program of the database's threads. A module of its own: tests load it in another way. */
export function workerProgram(): URL {
  return new URL('./thread/worker.js', import.meta.url);
}
