import type { Readable } from 'node:stream';

const heard = (): void => undefined;

/**
 * Sees to it that an error of a stream, which ends the process where nobody hears it, is heard. By one listener, however often it is called:
 * each wrapper of a storage does so for the same source, and Node warns of a leak at eleven.
 */
export function hearErrors<T extends Readable>(stream: T): T {
  if (!stream.listeners('error').includes(heard)) stream.on('error', heard);
  return stream;
}
