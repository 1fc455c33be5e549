// Stands in for the module of the same name in lib: the program of the database's threads, as TypeScript.
export function workerProgram(): URL {
  return new URL('./worker.js', import.meta.url);
}
