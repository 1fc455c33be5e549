import { waitOfProcess } from '../../thread-time.js';
import { Connection, type Headers, type Reply } from '../client/connection.js';
import type { ServerProcess } from '../client/server-process.js';
import type { HostileCase, Target } from './hostile-case.js';

/** How long a case may take unless it says otherwise, in milliseconds. */
const WITHIN = 5000;

/** How long a connection may take to be what its answer announced, in milliseconds. */
const AFTERWARDS = 2000;

/** What a case has done to a server, beside the state that it is in now. */
export interface Attacked {
  readonly replies: readonly Reply[];
  /** The case did not end in its time. */
  readonly hung: boolean;
  /** Connections that neither worked on nor were announced closed. */
  readonly stuck: readonly string[];
}

/** Runs one case, bounded by its time, and ends all of its connections. */
export async function attack(server: ServerProcess, { attack, within, afterwards }: HostileCase): Promise<Attacked> {
  const connections: Connection[] = [];
  const connect = async (): Promise<Connection> => {
    const connection = await Connection.open(server.port);
    connections.push(connection);
    return connection;
  };
  const target: Target = {
    port: server.port,
    connect,
    post: async (path: string, body: Buffer | string, headers?: Headers) => {
      const connection = await connect();
      return connection.post(path, body, headers);
    },
    untilHandlerRuns: async () => {
      await server.ask({ ask: 'untilHandlerRuns' });
    },
  };
  try {
    const replies = await inTime(within ?? WITHIN, attack(target), server.pid);
    if (replies === undefined) return { replies: [], hung: true, stuck: [] };
    const look = afterwards === 'ends' ? stateOfEnded : stateOf;
    const states = afterwards === 'unknown' ? [] : connections.map((connection) => look(connection, server.pid));
    const stuck = (await Promise.all(states)).filter((state) => state !== undefined);
    return { replies: [replies].flat(), hung: false, stuck };
  } finally {
    for (const connection of connections) connection.destroy();
  }
}

/** What is wrong with a connection after its last answer. */
async function stateOf(connection: Connection, server: number): Promise<string | undefined> {
  const { last, socket } = connection;
  if (last === undefined || last.status === 'closed' || socket.destroyed || socket.writableEnded) return undefined;
  if (last.headers.get('connection') === 'close') return stateOfEnded(connection, server);
  void connection.send('GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const pong = await inTime(AFTERWARDS, connection.reply(), server);
  return pong?.status === 200 ? undefined : `the next request got ${pong?.status ?? 'no answer'}`;
}

async function stateOfEnded(connection: Connection, server: number): Promise<string | undefined> {
  const closed = connection.closed().then(() => true);
  return (await inTime(AFTERWARDS, closed, server)) === true ? undefined : 'the connection should end, and stays open';
}

/**
 * @param server a process that has a part in the work: the time in which it, or this one, waits for a core is not counted
 * @returns undefined where the time is over
 */
export async function inTime<T>(milliseconds: number, work: Promise<T>, server: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const begin = performance.now();
  const waits = (): number => waitOfProcess(process.pid) + waitOfProcess(server);
  const before = waits();
  const over = new Promise<undefined>((resolve) => {
    const look = (): void => {
      const left = milliseconds + Math.max(0, waits() - before) - (performance.now() - begin);
      if (left > 0) timer = setTimeout(look, left);
      else resolve(undefined);
    };
    timer = setTimeout(look, milliseconds);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}
