import { field, file, form } from '../../upload/form.js';
import { Connection } from '../client/connection.js';
import { ServerProcess } from '../client/server-process.js';
import type { ServerSetup, Vitals } from '../server/protocol.js';
import { attack, inTime, type Attacked } from './attack.js';
import type { HostileCase } from './hostile-case.js';
import { mismatches } from './match-reply.js';

/** How long the event loop may stand still, in milliseconds. */
const LOOP_MS = 200;

/** How long a server may take after a case until nothing of it is left, in milliseconds. */
const SETTLE_MS = 2000;

/** What a case came to. */
export interface Outcome extends Attacked {
  /** Undefined where the server's process has ended. */
  readonly vitals: Vitals | undefined;
  /** A good upload on a new connection, after it. */
  readonly alive: boolean;
  /** Everything that is not as it must be; empty for a case that is passed. */
  readonly faults: readonly string[];
}

/** A server under attack: one case after the other, so that whatever is left is known to be that case's. */
export class Siege {
  readonly #setup: ServerSetup;
  #server: ServerProcess;

  private constructor(setup: ServerSetup, server: ServerProcess) {
    this.#setup = setup;
    this.#server = server;
  }

  static async begin(setup: ServerSetup): Promise<Siege> {
    const siege = new Siege(setup, await ServerProcess.start(setup));
    await siege.#calm();
    return siege;
  }

  /** What a process opens once (libraries, pools) is open before anything is counted. */
  async #calm(): Promise<void> {
    for (let round = 0; round < 3; round++) await goodUpload(this.#server.port);
    await this.#server.ask({ ask: 'settle', within: SETTLE_MS });
    await this.#server.ask({ ask: 'begin' });
  }

  async run(hostile: HostileCase): Promise<Outcome> {
    await this.#server.ask({ ask: 'begin' });
    const attacked = await attack(this.#server, hostile);
    const alive = (await inTime(SETTLE_MS, goodUpload(this.#server.port), this.#server.pid)) ?? false;
    const vitals = await this.#server.ask({ ask: 'settle', within: SETTLE_MS });
    const faults = [
      ...(attacked.hung ? ['it hangs'] : mismatches(attacked.replies, hostile.expects)),
      ...attacked.stuck,
      ...attacked.replies.flatMap(({ text }) => (this.#tells(text) ? [`the answer tells too much: ${text}`] : [])),
      ...(alive ? [] : ['a good upload after it fails']),
      ...(vitals === undefined ? ['the process has ended'] : faultsOf(vitals)),
    ];
    if (vitals === undefined) await this.#again();
    return { ...attacked, vitals, alive, faults };
  }

  /** Begins anew where a case has ended the process. */
  async #again(): Promise<void> {
    this.#server = await ServerProcess.start(this.#setup);
    await this.#calm();
  }

  /** No path, no stack. */
  #tells(text: string): boolean {
    return text.includes(this.#server.ready.secret) || /node_modules|\n\s+at |\.[jt]s:\d+/.test(text);
  }

  end(): Promise<void> {
    return this.#server.stop();
  }
}

function faultsOf({ left, descriptors, blocked, warnings, deaths, polluted }: Vitals): string[] {
  const faults = Object.entries({ left, descriptors, warnings, deaths, polluted })
    .filter(([, found]) => found.length > 0)
    .map(([what, found]) => `${what}: ${found.join(', ')}`);
  return blocked > LOOP_MS ? [...faults, `the event loop was blocked for ${blocked} ms`] : faults;
}

/** Whether a good form is taken, on a connection of its own. */
async function goodUpload(port: number): Promise<boolean> {
  const connection = await Connection.open(port).catch(() => undefined);
  if (connection === undefined) return false;
  const parts = [field('a', '1'), file('a good file', 'file', 'good.txt', 'text/plain')];
  const reply = await connection.post('/one', form(...parts));
  connection.destroy();
  const wanted = { status: 201, files: [{ data: 'a good file', originalname: 'good.txt' }], fields: { a: '1' } };
  return mismatches([reply], wanted).length === 0;
}
