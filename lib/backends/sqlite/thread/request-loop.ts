import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import type { Calls, Reply, Request, ThreadMessage, ThreadSettings } from '../protocol.js';
import { DatabaseSession } from './database-session.js';
import { explained, failureOf } from './failures.js';
import { bytesOf, isChange, type Change } from './transactions.js';

/** Bytes of bodies that go into one transaction at most: more would not fit the page cache. */
const GROUP_BYTES = 8 * 1024 * 1024;

/** Takes requests from the storage, in their order, and answers them. */
export class RequestLoop {
  readonly #port: MessagePort;
  readonly #session: DatabaseSession;
  readonly #filename: string;

  constructor(port: MessagePort, settings: ThreadSettings) {
    this.#port = port;
    this.#filename = settings.filename;
    this.#session = new DatabaseSession(settings, (id, done, total) => {
      this.#send({ kind: 'progress', id, done, total }, []);
    });
  }

  start(): void {
    this.#port.on('message', (requests: readonly Request[]) => {
      const waiting = [...requests];
      // whatever has come meanwhile shares the transaction
      for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
        waiting.push(...(next.message as readonly Request[]));
      }
      this.#answer(waiting);
    });
  }

  #answer(requests: readonly Request[]): void {
    const replies: Reply[] = [];
    const transfers: ArrayBuffer[] = [];
    let epoch: number | undefined;
    let group: Change[] = [];
    let bytes = 0;
    const runGroup = (): void => {
      if (group.length === 0) return;
      const outcome = this.#session.change(group);
      for (const reply of outcome.replies) replies.push(reply);
      epoch = outcome.epoch ?? epoch;
      group = [];
      bytes = 0;
    };
    const isOneSnapshot = requests.length > 1 && this.#session.beginReads(requests);
    for (const request of requests) {
      if (isChange(request)) {
        group.push(request);
        bytes += bytesOf(request);
        if (bytes >= GROUP_BYTES) runGroup();
        continue;
      }
      runGroup();
      this.#run(request, replies);
    }
    runGroup();
    if (isOneSnapshot) this.#session.endReads();
    for (const { output } of replies) addMemoryOf(output, transfers);
    if (replies.length > 0)
      this.#send({ kind: 'replies', replies: explained(replies, this.#filename), epoch }, transfers);
  }

  #run(request: Exclude<Request, Change>, replies: Reply[]): void {
    const { id } = request;
    try {
      const output = this.#session.run(request);
      if (!(output instanceof Promise)) {
        replies.push({ id, output });
        return;
      }
      output.then(
        (value: unknown) => {
          this.#send({ kind: 'replies', replies: [{ id, output: value }], epoch: undefined }, []);
        },
        (error: unknown) => {
          const replies = explained([{ id, failure: failureOf(error) }], this.#filename);
          this.#send({ kind: 'replies', replies, epoch: undefined }, []);
        },
      );
    } catch (error) {
      replies.push({ id, failure: failureOf(error) });
    }
  }

  #send(message: ThreadMessage, transfers: readonly ArrayBuffer[]): void {
    this.#port.postMessage(message, transfers);
  }
}

/** Adds what can be handed over instead of copied. */
function addMemoryOf(output: unknown, transfers: ArrayBuffer[]): void {
  if (typeof output !== 'object' || output === null) return;
  if (output instanceof ArrayBuffer) {
    if (output.byteLength > 0) transfers.push(output);
  } else if (output instanceof Uint8Array) addWhole(output, transfers);
  else if ('memory' in output && output.memory instanceof ArrayBuffer) transfers.push(output.memory);
  else if ('body' in output) {
    const { bytes } = (output as NonNullable<Calls['read']['output']>).body;
    if (bytes !== undefined) addWhole(bytes, transfers);
  }
}

/** The memory of bytes that lie in it alone. */
function addWhole({ buffer, byteLength }: Uint8Array, transfers: ArrayBuffer[]): void {
  if (byteLength > 0 && buffer.byteLength === byteLength && buffer instanceof ArrayBuffer) transfers.push(buffer);
}
