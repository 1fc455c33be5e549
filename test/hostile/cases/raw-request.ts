import { head, type Headers } from '../client/connection.js';
import type { Expected, HostileCase } from '../run/hostile-case.js';
import { BY_NODE, GOOD } from './kit.js';

function afterwardsOf(expects: Expected | readonly Expected[]): HostileCase['afterwards'] {
  if (expects === BY_NODE) return 'ends';
  return [expects].flat().some(({ status }) => [status].flat().includes('closed')) ? 'unknown' : undefined;
}

/** Raw bytes over a connection that nothing else comes over; so many answers are read. */
export function raw(
  name: string,
  bytes: Buffer | string,
  expects: Expected | readonly Expected[],
  end: 'halfClose' | 'wait' = 'wait',
): HostileCase {
  const answers = Array.isArray(expects) ? expects.length : 1;
  return {
    name,
    expects,
    afterwards: afterwardsOf(expects),
    attack: async (target) => {
      const connection = await target.connect();
      void connection.send(bytes);
      if (end === 'halfClose') connection.end();
      const replies = [];
      for (let index = 0; index < answers; index++) replies.push(await connection.reply());
      return replies;
    },
  };
}

export const good = (headers: Headers, body: Buffer = GOOD, path = '/one'): Buffer =>
  Buffer.concat([Buffer.from(head(path, headers)), body]);

export const length = String(GOOD.length);
export const CHUNKED = { 'Transfer-Encoding': 'chunked' };

/** A good form behind a line of HTTP that Node refuses. */
export const byNode = (what: string, headers: Headers, body: Buffer = GOOD): HostileCase =>
  raw(what, good(headers, body), BY_NODE);
