import { randomInt } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SQLiteStorage } from 'nestjs-storages/sqlite';
import { startChild } from './process/child.js';
import { BROKEN } from './process/broken-storages.js';
import { bodyOf } from './process/token.js';
import { eventually, query, withFile } from './temporary-database.js';

type State = Record<string, string>;
type Changes = Record<string, string | null>;

// by hand: CRASH_ROUNDS=300
const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 6);

/** What a killed process has said: what it was told is stored, and what it was at. */
interface Testimony {
  readonly acknowledged: State;
  readonly begun: ReadonlyMap<string, Changes>;
  readonly steps: number;
}

function apply(state: State, changes: Changes): State {
  const entries = new Map(Object.entries(state));
  for (const [key, token] of Object.entries(changes)) {
    if (token === null) entries.delete(key);
    else entries.set(key, token);
  }
  return Object.fromEntries(entries);
}

/** Lets a process change things, and kills it after some of its steps and some while of the next. */
async function killed(filename: string, state: State, broken?: string): Promise<Testimony> {
  const child = startChild('crash', [filename, JSON.stringify(state), ...(broken === undefined ? [] : [broken])]);
  expect(await child.line()).toBe('ready');
  let acknowledged = state;
  const begun = new Map<string, Changes>();
  let steps = 0;
  const hear = (line: string): void => {
    const [word, lane = '', ...rest] = line.split(' ');
    if (word === 'begin') {
      begun.set(lane, JSON.parse(rest.join(' ')) as Changes);
    } else {
      acknowledged = apply(acknowledged, begun.get(lane) ?? {});
      begun.delete(lane);
      steps++;
    }
  };
  const enough = randomInt(5, 60);
  while (steps < enough) hear(await child.line());
  const moment = performance.now() + randomInt(8);
  while (performance.now() < moment) await new Promise((resolve) => setImmediate(resolve));
  await child.kill();
  for await (const line of child.rest()) hear(line);
  return { acknowledged, begun, steps };
}

/** What is stored now; an object whose bytes and attributes are not of one version is said so in its token. */
async function stored(storage: SQLiteStorage): Promise<State> {
  const state: State = {};
  for await (const { key } of storage.list()) {
    const stream = await storage.get(key);
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    const token = stream.file.metadata['token'] ?? 'none';
    const expected = /:\d+$/.test(token) ? bodyOf(token) : undefined;
    const whole = expected?.equals(Buffer.concat(chunks)) === true && stream.file.size === expected.length;
    state[key] = whole ? token : `mixed: ${token}`;
  }
  return state;
}

/** Whether every lane's keys are as they were acknowledged, or as the step that was under way leaves them; never in between. */
function violations({ acknowledged, begun }: Testimony, found: State): string[] {
  const lanes = new Set([...Object.keys(acknowledged), ...Object.keys(found)].map((key) => key.split('/')[0] ?? ''));
  const ofLane = (state: State, lane: string): string =>
    JSON.stringify(
      Object.entries(state)
        .filter(([key]) => key.startsWith(`${lane}/`))
        .sort(),
    );
  return [...lanes].flatMap((lane) => {
    const before = ofLane(acknowledged, lane);
    const after = ofLane(apply(acknowledged, begun.get(lane) ?? {}), lane);
    const now = ofLane(found, lane);
    return now === before || now === after ? [] : [`found ${now}, acknowledged ${before}, or ${after}`];
  });
}

async function crashAgainAndAgain(rounds: number, broken?: string): Promise<string[]> {
  return withFile(async (filename) => {
    let state: State = {};
    for (let round = 0; round < rounds; round++) {
      const testimony = await killed(filename, state, broken);
      await using storage = new SQLiteStorage({ filename });
      const found = await stored(storage);
      const broke = violations(testimony, found);
      if (broke.length > 0) return broke;
      expect((await storage.check()).problems).toEqual([]);
      expect(query(filename, 'SELECT * FROM "files$uploads"')).toEqual([]);
      await eventually(() => query(filename, 'SELECT 1 FROM "files$garbage"').length === 0);
      state = found;
    }
    return [];
  });
}

describe('a process that is killed at any moment', () => {
  it(
    'has lost nothing that was acknowledged, and shows every step wholly or not at all',
    async () => {
      expect(await crashAgainAndAgain(ROUNDS)).toEqual([]);
    },
    30_000 + ROUNDS * 5000,
  );

  it.each([...BROKEN.keys()])(
    'is found out when it breaks a promise by %s',
    async (broken) => {
      expect(await crashAgainAndAgain(60, broken)).not.toEqual([]);
    },
    300_000,
  );
});
