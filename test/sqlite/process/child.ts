import { fileURLToPath } from 'node:url';
import { Child } from '../../filesystem/process/child.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** A Node process of its own that runs one of the programs beside this file. */
export function startChild(program: string, args: readonly string[]): Child {
  return new Child(program, args, HERE);
}
