/** What a server under attack is started with. */
export interface ServerSetup {
  /** Whose interceptors take the uploads. */
  readonly library: 'ours' | 'nest';
  readonly platform: Platform;
  /** The major version of Nest. */
  readonly nest: number;
  /** The name of a backend of `backends.ts`; Nest's own interceptors write to a folder of their own. */
  readonly backend: string;
}

export type Platform = 'express' | 'fastify';

export const PLATFORMS: readonly Platform[] = ['express', 'fastify'];

/** What the parent asks. */
export type Question =
  /** From now on: nothing has been seen, and what is there now was there before. */
  | { readonly ask: 'begin' }
  /** Removes what handlers have kept, and tells what else there is, as soon as that is nothing or after so many milliseconds. */
  | { readonly ask: 'settle'; readonly within: number }
  /** Answered as soon as the handler of the route `/slow` runs. */
  | { readonly ask: 'untilHandlerRuns' };

/** The state of a server, measured from its last `begin`. */
export interface Vitals {
  /** Objects, temporaries and staged files that nobody kept. */
  readonly left: readonly string[];
  /** Open descriptors that were not there before. */
  readonly descriptors: readonly string[];
  /** The longest time that the event loop did not turn because the process was at work, in milliseconds. */
  readonly blocked: number;
  /** Process warnings: listeners that pile up. */
  readonly warnings: readonly string[];
  /** Unhandled rejections and uncaught exceptions: each of them ends a process. */
  readonly deaths: readonly string[];
  /** Properties of built-in prototypes that were not there before. */
  readonly polluted: readonly string[];
}

export interface Ready {
  readonly port: number;
  /** What must never be seen in an answer: the folder of the files. */
  readonly secret: string;
}

export type FromParent = Question & { readonly id: number };
export type FromServer = { readonly ready: Ready } | { readonly id: number; readonly answer: Vitals | undefined };
