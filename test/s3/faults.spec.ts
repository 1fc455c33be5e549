import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { COLUMNS, type ColumnName } from './fault-matrix/columns.js';
import { applies, makeGround, runCell, type Cell, type Ground, type Lasting } from './fault-matrix/run-cell.js';
import { Semaphore } from './fault-matrix/semaphore.js';
import { readTable, writeTable } from './fault-matrix/tables.js';
import { FAULTS, type FaultName } from './proxy/faults.js';
import { s3Server, type S3Server } from './server/s3-server.js';

/*
 * What comes of a call while one of its requests meets a fault, on the real server:
 *
 *   done     the first request was enough
 *   again    the request was sent once more, and the call succeeded
 *   found    no try was answered; the storage looked whether the server had done it, and it had
 *   swept    the call's own outcome is told; the upload could not be aborted and is found by the sweep
 *   conn     ConnectionError           time     TimeoutError        with "!": not retryable
 *   damaged  IntegrityError            config   ConfigurationError
 *   -        it cannot be: there is no body to cut or to damage
 *
 * In every cell: the object is whole or absent and what was told of it is true, no upload is open, no request is under way after the call, no socket is
 * left 1 s after close(), it ends within its time-out, and no request is tried more often than it is set up.
 */

/** The fault befalls one request. */
const ONCE = readTable(`
                        Create   First    Middle   Last     Complete Abort    Put      PutNew   Get      Resume   Head     List     Copy     PartCopy Parts    DeleteOne Delete
  reset before          again    again    again    again    again    again    again    again    again    again    again    again    again    again    again    again     again
  reset in the request  -        again    again    again    again    -        again    again    -        -        -        -        -        -        -        -         again
  reset in the answer   again    again    again    again    again    again    again    again    again    again    again    again    again    again    again    again     again
  lost answer           again    again    again    again    again    again    again    again    again    again    again    again    again    again    again    again     again
  status 500            again    again    again    again    again    again    again    again    again    again    again    again    again    again    again    again     again
  status 503            again    again    again    again    again    again    again    again    again    again    again    again    again    again    again    again     again
  status 429            again    again    again    again    again    again    again    again    again    again    again    again    again    again    again    again     again
  truncated request     -        again    again    again    again    -        again    again    -        -        -        -        -        -        -        -         again
  truncated answer      again    again    again    again    again    again    again    again    again    again    again    again    again    again    again    again     again
  corrupted request     -        again    again    again    again    -        again    again    -        -        -        -        -        -        -        -         again
  corrupted answer      again    -        -        -        again    -        -        -        damaged! damaged! -        again    again    again    done     -         again
  hang                  again    again    again    again    again    again    again    again    again    again    again    again    again    again    again    again     again
  hang in the answer    again    again    again    again    again    again    again    again    again    again    again    again    again    again    again    again     again
  slow                  done     done     done     done     done     done     done     done     done     done     done     done     done     done     done     done      done
  200 with an error     again    again    again    again    again    again    again    again    again    again    -        again    again    again    again    again     conn
  redirect              config!  config!  config!  config!  config!  again    config!  config!  config!  config!  config!  config!  config!  config!  done     config!   config!
`);

/** It befalls every request of its kind. */
const ALWAYS = readTable(`
                        Create   First    Middle   Last     Complete Abort    Put      PutNew   Get      Resume   Head     List     Copy     PartCopy Parts    DeleteOne Delete
  reset before          conn     conn     conn     conn     conn     swept    conn     conn     conn     conn     conn     conn     conn     conn     found    conn      conn
  reset in the request  -        conn     conn     conn     conn     -        conn     conn     -        -        -        -        -        -        -        -         conn
  reset in the answer   conn     conn     conn     conn     found    found    found    found    found    found    conn     conn     found    conn     found    conn      conn
  lost answer           conn     conn     conn     conn     found    found    found    found    conn     conn     conn     conn     found    conn     found    conn      conn
  status 500            conn     conn     conn     conn     conn     swept    conn     conn     conn     conn     conn     conn     conn     conn     found    conn      conn
  status 503            conn     conn     conn     conn     conn     swept    conn     conn     conn     conn     conn     conn     conn     conn     found    conn      conn
  status 429            conn     conn     conn     conn     conn     swept    conn     conn     conn     conn     conn     conn     conn     conn     found    conn      conn
  truncated request     -        damaged  damaged  damaged  damaged  -        damaged  damaged  -        -        -        -        -        -        -        -         damaged
  truncated answer      conn     conn     conn     conn     found    found    found    found    found    found    conn     conn     found    conn     found    conn      conn
  corrupted request     -        damaged  damaged  damaged  damaged  -        damaged  damaged  -        -        -        -        -        -        -        -         damaged
  corrupted answer      conn     -        -        -        found    -        -        -        damaged! damaged! -        conn     found    conn     done     -         conn
  hang                  time     time     time     time     time     swept    time     time     time     time     time     time     time     time     found    time      time
  hang in the answer    time     time     time     time     found    found    found    found    found    found    time     time     found    time     found    time      time
  slow                  done     done     done     done     done     done     done     done     done     done     done     done     done     done     done     done      done
  200 with an error     conn     conn     conn     conn     conn     swept    conn     conn     conn     conn     -        conn     conn     conn     found    conn      conn
  redirect              config!  config!  config!  config!  config!  swept    config!  config!  config!  config!  config!  config!  config!  config!  done     config!   config!
`);

/** Cells that run at once, and those beside them that do nothing but wait for a time-out. */
const AT_ONCE = 8;
const WAITING_AT_ONCE = 12;

/** Milliseconds, for what waits for the cells: when the run hangs. How long a call may take is looked at in its cell. */
const HANGING = 300_000;

const faults = Object.keys(FAULTS) as FaultName[];
const columns = Object.keys(COLUMNS) as ColumnName[];

const server = await s3Server('The fault matrix of S3Storage');

if (server === undefined) it('is not run without a server', () => undefined);
else proveOn(server);

function proveOn(server: S3Server): void {
  let ground: Ground;
  const cells = new Map<string, Promise<Cell>>();
  const outcomes: Readonly<Record<Lasting, Map<string, Record<string, string>>>> = {
    once: new Map(),
    always: new Map(),
  };

  // all of them are begun here, a few at once, and each test waits for its own
  beforeAll(async () => {
    ground = await makeGround(server);
    const waiting = new Semaphore(WAITING_AT_ONCE);
    const working = new Semaphore(AT_ONCE);
    for (const lasting of ['once', 'always'] as const) {
      for (const fault of faults) {
        for (const column of columns.filter((name) => applies(fault, name))) {
          const cell = (fault.startsWith('hang') ? waiting : working).run(() =>
            runCell(ground, fault, column, lasting),
          );
          cell.catch(() => undefined);
          cells.set(`${lasting} ${fault} ${column}`, cell);
        }
      }
    }
  }, HANGING);

  afterAll(async () => {
    await Promise.allSettled(cells.values());
    await server.removeBucket(ground.bucket);
    if (process.env['S3_FAULTS_TABLE'] === undefined) return;
    process.stdout.write(`\nOne request:\n${writeTable(outcomes.once)}\n`);
    process.stdout.write(`Every request of its kind:\n${writeTable(outcomes.always)}\n`);
  }, HANGING);

  const outcomesOf = async (lasting: Lasting, fault: FaultName): Promise<Record<string, string>> => {
    const row: Record<string, string> = {};
    for (const column of columns) row[column] = (await cells.get(`${lasting} ${fault} ${column}`))?.outcome ?? '-';
    outcomes[lasting].set(fault, row);
    return row;
  };

  describe('A call of S3Storage ends as it must', () => {
    it.each(faults)(
      'when one of its requests meets "%s"',
      async (fault) => {
        expect(await outcomesOf('once', fault)).toEqual(ONCE.get(fault));
      },
      HANGING,
    );

    it.each(faults)(
      'when every request of a kind meets "%s"',
      async (fault) => {
        expect(await outcomesOf('always', fault)).toEqual(ALWAYS.get(fault));
      },
      HANGING,
    );
  });
}
