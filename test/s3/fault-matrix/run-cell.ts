import { StorageError, type StoredFile } from 'nestjs-storages';
import { FAULTS, type Fault, type FaultName } from '../proxy/faults.js';
import type { S3Server } from '../server/s3-server.js';
import { COLUMNS, LISTED, type Column, type ColumnName } from './columns.js';
import { ATTEMPTS, Place, TIMEOUTS } from './place.js';
import { TurningClock } from './turning-clock.js';

/** How long a fault lasts: for one request, or for each of its kind from then on. */
export type Lasting = 'once' | 'always';

/** Where the cells of a run lie. */
export interface Ground {
  readonly server: S3Server;
  readonly bucket: string;
  /** The prefix of the objects that are listed. */
  readonly listed: string;
}

/** What came of one cell. */
export interface Cell {
  /** As it stands in the tables, and after it whatever must never be. */
  readonly outcome: string;
  readonly milliseconds: number;
}

/** Errors, by their code. With `!` the storage says that another call would be in vain. */
const CODES: ReadonlyMap<string, string> = new Map([
  ['CONNECTION_FAILED', 'conn'],
  ['TIMEOUT', 'time'],
  ['INTEGRITY_FAILED', 'damaged'],
  ['INVALID_CONFIGURATION', 'config'],
]);

/** Milliseconds: the time-out of the one request that fails, and what the others of the call take. */
const LIMIT = TIMEOUTS.request + 5000;

export function applies(fault: FaultName, column: ColumnName): boolean {
  const { without }: Column = COLUMNS[column];
  return !without.includes(fault);
}

export async function makeGround(server: S3Server): Promise<Ground> {
  const ground = { server, bucket: await server.makeBucket(), listed: 'listed' };
  const place = await Place.open(server, ground.bucket, ground.listed);
  const numbers = Array.from({ length: LISTED }, (_, number) => number).values();
  const worker = async (): Promise<void> => {
    for (const number of numbers) await place.give(String(number), 1);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  await place.leave();
  return ground;
}

/** Makes the call behind a proxy of its own in which the fault strikes, and looks past the proxy at what is there then. */
export async function runCell(ground: Ground, fault: FaultName, name: ColumnName, lasting: Lasting): Promise<Cell> {
  const column: Column = COLUMNS[name];
  const place = await Place.open(ground.server, ground.bucket, name === 'List' ? ground.listed : undefined);
  const { proxy } = place;
  try {
    await column.prepare?.(place);
    const first = column.before === undefined ? [] : [FAULTS[column.before]];
    const times = lasting === 'once' ? first.length + 1 : Infinity;
    proxy.arm({ ...column.trigger, times }, inTurn(...first, FAULTS[fault]));
    const clock = new TurningClock();
    const began = performance.now();
    const result = await column.call(place).then(
      (file) => ({ file }),
      (error: unknown) => ({ error }),
    );
    const turning = clock.stop();
    const milliseconds = performance.now() - began;
    const violations: string[] = [];
    if (proxy.struck <= first.length) violations.push('the fault has not struck');
    if (proxy.seen > (column.most ?? ATTEMPTS)) violations.push(`${proxy.seen} tries`);
    if (fault === 'status 503' && milliseconds < 1000) violations.push('came again before Retry-After');
    if (turning > LIMIT) violations.push(`took ${Math.round(turning)} ms`);
    const underWay = await proxy.settled(1000);
    if (underWay > 0) violations.push(`${underWay} requests under way after the call`);
    const tries = proxy.seen - first.length;
    // from here on nothing is of the cell
    proxy.disarm();
    const open = (await place.openUploads()).length;
    let outcome: string;
    if ('error' in result) {
      outcome = errorName(result.error);
      if (column.makes !== undefined && (await place.keys()).includes(column.makes.key))
        violations.push('object there');
    } else {
      outcome = tries === 1 ? 'done' : lasting === 'once' ? 'again' : 'found';
      violations.push(...(await faultsOf(place, column, result.file)));
    }
    if (open > 0) {
      outcome = outcome === 'found' ? 'swept' : `${outcome}+${open}`;
      violations.push(...(await sweep(place)));
    }
    await place.storage.close();
    const sockets = await proxy.closed(1000);
    if (sockets > 0) violations.push(`${sockets} sockets open 1 s after close()`);
    return { outcome: [outcome, ...violations].join(', '), milliseconds };
  } finally {
    await place.leave();
  }
}

/** The last of them strikes from its turn on. */
function inTurn(...faults: readonly Fault[]): Fault {
  const turns = faults.values();
  let fault: Fault | undefined;
  return (exchange) => {
    fault = turns.next().value ?? fault;
    return fault?.(exchange);
  };
}

function errorName(error: unknown): string {
  if (!(error instanceof StorageError)) return `wrong: ${String(error)}`;
  return `${CODES.get(error.code) ?? error.code}${error.retryable ? '' : '!'}`;
}

/** What is wrong with the object that a call has made, or with what it told of it. */
async function faultsOf(place: Place, { makes }: Column, told: StoredFile | undefined): Promise<string[]> {
  const found: string[] = [];
  if (makes !== undefined && !(await place.isWhole(makes.key, makes.size, makes.isOnePart)))
    found.push('object not whole');
  if (told === undefined) return found;
  const now = await place.storage.info(told.key);
  for (const field of ['size', 'etag', 'contentType'] as const) {
    if (now[field] !== told[field]) found.push(`${field} is ${now[field]} and was told as ${told[field]}`);
  }
  return found;
}

async function sweep(place: Place): Promise<string[]> {
  await place.storage.sweep({ olderThan: 0 });
  const left = await place.openUploads();
  return left.length === 0 ? [] : [`${left.length} uploads open after a sweep`];
}
