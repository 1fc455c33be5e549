import type { Connection, Headers, Reply } from '../client/connection.js';

/** What a case attacks. */
export interface Target {
  readonly port: number;
  /** A new connection. It is looked at and ended after the case, unless the case ends it. */
  connect(): Promise<Connection>;
  /** A whole request over a connection of its own. */
  post(path: string, body: Buffer | string, headers?: Headers): Promise<Reply>;
  /** Resolves when the handler of a slow route runs. */
  untilHandlerRuns(): Promise<void>;
}

/** A file as the handler must have got it. What is left out is not looked at. */
export interface ExpectedFile {
  readonly data?: Buffer | string;
  readonly size?: number;
  readonly fieldname?: string;
  readonly originalname?: string;
  readonly mimetype?: string;
  readonly contentType?: string;
}

/**
 * What an answer must be. Where several statuses are right (a standard leaves the choice), `code` is of the refusal, `files` and `fields`
 * are of a 201.
 */
export interface Expected {
  /** `closed`: the connection ends without an answer, which nobody waits for. */
  readonly status: Reply['status'] | readonly Reply['status'][];
  readonly code?: string;
  readonly connection?: 'close' | 'keep-alive';
  /** All files of the handler, in their order. */
  readonly files?: readonly ExpectedFile[];
  /** All text fields of the handler. */
  readonly fields?: unknown;
  /** What the message must name. */
  readonly message?: RegExp;
}

/** One attack, and what an upload must answer to it. */
export interface HostileCase {
  readonly name: string;
  readonly attack: (target: Target) => Promise<Reply | readonly Reply[]>;
  /** What every answer must be; an array has one for each answer. */
  readonly expects: Expected | readonly Expected[];
  /** How long it may take, in milliseconds. Longer is a hang. */
  readonly within?: number;
  /**
   * What becomes of the connections behind their last answers, unless it must either announce the end of its connection or leave it
   * usable. `ends`: the server ends them, whatever it announces. `unknown`: the client has broken the protocol, or has left.
   */
  readonly afterwards?: 'ends' | 'unknown';
}

/** The cases of one subject. */
export interface CaseGroup {
  readonly about: string;
  /** Nest has nothing of the kind, so there is nothing to compare. */
  readonly oursOnly?: boolean;
  readonly cases: readonly HostileCase[];
}
