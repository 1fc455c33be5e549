import { BOUNDARY, field, file, form } from '../../upload/form.js';
import { request, type Reply } from '../client/connection.js';
import type { CaseGroup, Expected, HostileCase } from '../run/hostile-case.js';
import { CONTENT, shared } from './kit.js';

/** Repeats a run: its seed is in the name of each case. */
const SEED = Number(process.env['HOSTILE_SEED'] ?? 20261125);

/** How many mutants a case has. */
const RUNS = Number(process.env['HOSTILE_RUNS'] ?? 60);

const LANES = 8;

/** Any answer but a server's fault, or the end of the connection: what a mutant is nobody knows. */
const ANY: Expected = {
  status: [200, 201, 400, 404, 405, 408, 409, 411, 413, 414, 415, 417, 422, 426, 431, 'closed'],
};

/** A small generator of numbers that a seed repeats (mulberry32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
  };
}

type Random = ReturnType<typeof randomNumbers>;

const BODY = form(field('a', '1'), file(`${CONTENT}\r\n--x\r\n`, 'file', 'ü.bin'), field('b[c]', 'two'));

/** What a parser looks for. */
const TOKENS = [
  '\r\n',
  '\n',
  '\r',
  '--',
  `--${BOUNDARY}`,
  `\r\n--${BOUNDARY}--`,
  '"',
  '; ',
  ': ',
  '\0',
  '%0D%0A',
  '__proto__',
  '[',
  ']',
  '=',
  '\\',
  'name',
  '\xff',
  ' ',
];

const MUTATIONS: Readonly<Record<string, (bytes: Buffer, random: Random) => Buffer>> = {
  'bytes changed': (bytes, random) => {
    const mutant = Buffer.from(bytes);
    for (let change = 1 + random(4); change > 0; change--) mutant[random(mutant.length)] = random(256);
    return mutant;
  },
  'bytes changed to signs of the grammar': (bytes, random) => {
    const mutant = Buffer.from(bytes);
    for (let change = 1 + random(6); change > 0; change--)
      mutant[random(mutant.length)] = '\r\n-:;"=[]\\ \0'.charCodeAt(random(12));
    return mutant;
  },
  'tokens put in': (bytes, random) => {
    let mutant = bytes;
    for (let change = 1 + random(4); change > 0; change--) {
      const at = random(mutant.length);
      const token = Buffer.from(TOKENS[random(TOKENS.length)] ?? '', 'latin1');
      mutant = Buffer.concat([mutant.subarray(0, at), token, mutant.subarray(at)]);
    }
    return mutant;
  },
  'a piece taken out': (bytes, random) => {
    const at = random(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(40))]);
  },
  'a piece doubled': (bytes, random) => {
    const at = random(bytes.length);
    const end = at + 1 + random(120);
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at, end), bytes.subarray(end)]);
  },
  'two pieces exchanged': (bytes, random) => {
    const [first = 0, second = 0, third = 0] = [random(bytes.length), random(bytes.length), random(bytes.length)].sort(
      (x, y) => x - y,
    );
    return Buffer.concat([
      bytes.subarray(0, first),
      bytes.subarray(second, third),
      bytes.subarray(first, second),
      bytes.subarray(third),
    ]);
  },
  'its end cut off': (bytes, random) => bytes.subarray(0, random(bytes.length)),
  'nothing but tokens': (_bytes, random) =>
    Buffer.from(Array.from({ length: 1 + random(60) }, () => TOKENS[random(TOKENS.length)] ?? '').join(''), 'latin1'),
};

/** Mutants of what is in a form; the request around it is right, so an answer is owed to each. */
function ofBodies(what: string, mutate: (bytes: Buffer, random: Random) => Buffer, seed: number): HostileCase {
  return {
    name: `${RUNS} forms with ${what} (HOSTILE_SEED=${SEED})`,
    expects: { status: [201, 400, 413] },
    within: 5000 + RUNS * 50,
    attack: async (target) => {
      const random = randomNumbers(seed);
      const mutants = Array.from({ length: RUNS }, () => mutate(BODY, random));
      const connections = await Promise.all(Array.from({ length: LANES }, () => target.connect()));
      return shared(mutants, LANES, async (lane, body) => {
        const connection = connections[lane];
        if (connection === undefined) throw new RangeError('There is no such lane.');
        return connection.post('/one', body);
      });
    },
  };
}

/** Mutants of a whole request, whose client then ends its half of the connection. */
function ofRequests(what: string, mutate: (bytes: Buffer, random: Random) => Buffer, seed: number): HostileCase {
  return {
    name: `${RUNS} requests with ${what} (HOSTILE_SEED=${SEED})`,
    expects: ANY,
    afterwards: 'unknown',
    within: 5000 + RUNS * 100,
    attack: async (target): Promise<readonly Reply[]> => {
      const random = randomNumbers(seed);
      const mutants = Array.from({ length: RUNS }, () => mutate(request('/one', BODY), random));
      return shared(mutants, LANES, async (_lane, bytes) => {
        const connection = await target.connect();
        await connection.send(bytes);
        connection.end();
        const reply = await connection.reply();
        connection.destroy();
        return reply;
      });
    },
  };
}

export const mutations: CaseGroup = {
  about: 'a good form, changed at random',
  cases: Object.entries(MUTATIONS).flatMap(([what, mutate], index) => [
    ofBodies(what, mutate, SEED + 2 * index),
    ofRequests(what, mutate, SEED + 2 * index + 1),
  ]),
};
