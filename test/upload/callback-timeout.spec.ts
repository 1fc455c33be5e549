import { getEventListeners } from 'node:events';
import { Duplex, PassThrough, Transform } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { StorageBodyInterceptor, type UploadContext, type UploadOptions } from 'nestjs-storages';
import { BOUNDARY, field, file, form } from './form.js';
import { RoutesApplication } from './routes-application.js';
import { watchedRoute } from './watched-route.js';
import { WatchedStorage } from './watched-storage.js';

const route = watchedRoute();
const { start, stored, refused } = route;

const NEVER = new Promise<never>(() => undefined);
const LATE = [504, 'CALLBACK_TIMEOUT'];

/** The options of each function that may be late, where it is, and what it does with the signal that it is given. */
const functions = (never: (context: UploadContext) => Promise<never>): Record<string, UploadOptions> => ({
  storage: { storage: never },
  limits: { limits: never },
  allowedTypes: { allowedTypes: never },
  checksum: { checksum: never },
  overwrite: { overwrite: never },
  required: { required: never },
  fields: { fields: never },
  'required of a field': { fields: { file: { required: never } } },
  commit: { commit: never },
  idleTimeout: { idleTimeout: never },
  callbackTimeout: { callbackTimeout: never, fields: { file: { callbackTimeout: 50 } } },
  filter: { filter: (_file, context) => never(context) },
  key: { key: (_file, context) => never(context) },
  metadata: { metadata: (_file, context) => never(context) },
  transform: { transform: (_file, context) => never(context) },
  scan: { scan: (_file, context) => never(context) },
});

const late = Object.keys(functions(() => NEVER)).filter((name) => name !== 'callbackTimeout');

/** Takes what it is given and gives nothing. */
class Hole extends Transform {
  override _transform(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }

  override _flush(): void {
    // never done
  }
}

/** Takes nothing, and cannot even be destroyed. */
class Wall extends Duplex {
  override _write(): void {
    // never done
  }

  override _read(): void {
    // nothing comes
  }

  override _destroy(): void {
    // never done
  }
}

describe.each([
  ['small', 5],
  ['large', 1_000_000],
])('A function that never answers for a %s file', (_what, size) => {
  const parts = [field('a', 'b'), file('first', 'other'), file(Buffer.alloc(size, 1)), file('last', 'other')];

  it.each(late)('%s: is answered 504 in its time, and nothing is left', async (name) => {
    const signals: AbortSignal[] = [];
    const never = ({ signal }: UploadContext): Promise<never> => {
      signals.push(signal);
      return NEVER;
    };
    await start({ callbackTimeout: 50, ...functions(never)[name] });
    expect(await refused(...parts)).toEqual(LATE);
    expect(signals.length).toBeGreaterThan(0);
    for (const signal of signals) {
      expect(signal.aborted).toBe(true);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    }
    expect(route.application.errors.join('\n')).toMatch(new RegExp(`${name.split(' ')[0] ?? ''}.* 0.05 seconds`));
  });

  it.each<[what: string, transform: () => Duplex]>([
    ['takes all and gives nothing', () => new Hole()],
    ['takes nothing', () => new Wall()],
  ])('a stream of a transform that %s is answered 504, and ended', async (_how, transform) => {
    const streams: Duplex[] = [];
    await start({
      callbackTimeout: 50,
      transform: () => {
        const stream = transform();
        streams.push(stream);
        return stream;
      },
    });
    expect(await refused(...parts)).toEqual(LATE);
    expect(streams.map(({ destroyed }) => destroyed)).not.toContain(false);
  });

  it('a scanner that reads all and says nothing is answered 504', async () => {
    const scan = async ({ bytes }: { bytes: AsyncIterable<unknown> }): Promise<never> => {
      for await (const _chunk of bytes);
      return NEVER;
    };
    await start({ callbackTimeout: 50, scan });
    expect(await refused(...parts)).toEqual(LATE);
  });
});

describe('A callback that is late', () => {
  it('is named in the answer with its field and its time', async () => {
    await start({ fields: { file: { callbackTimeout: 50, scan: () => NEVER } } });
    expect(await route.application.post('upload', file('x'))).toMatchObject({
      status: 504,
      body: { message: 'Upload timed out: scan did not answer within 0.05 seconds for the file in "file".' },
    });
    expect(await stored(file('x', 'other'))).toHaveLength(1);
  });

  it('is answered 504 for a raw body too', async () => {
    const storage = new WatchedStorage();
    const application = await RoutesApplication.start({
      routes: { raw: StorageBodyInterceptor({ callbackTimeout: 50, scan: () => NEVER }) },
      storages: { main: storage },
    });
    const answer = await application.send('raw', Buffer.alloc(1_000_000), { 'Content-Type': 'image/png' }, 'PUT');
    expect(answer).toMatchObject({ status: 504, body: { code: 'CALLBACK_TIMEOUT' } });
    await storage.untilNothing();
    await application.close();
  });

  it('and gives a stream for its file after all, has it destroyed', async () => {
    const stream = new PassThrough();
    let give: (transform: Duplex) => void = () => undefined;
    const given = new Promise<Duplex>((resolve) => {
      give = resolve;
    });
    await start({ callbackTimeout: 50, transform: () => given });
    expect(await refused(file('x'))).toEqual(LATE);
    expect(stream.destroyed).toBe(false);
    give(stream);
    await new Promise((resolve) => stream.once('close', resolve));
  });

  it('and fails after all, harms nobody', async () => {
    const fails: (() => void)[] = [];
    const never = (): Promise<never> =>
      new Promise((_resolve, reject) => {
        fails.push(() => {
          reject(new Error('at last'));
        });
      });
    await start({ callbackTimeout: 50, filter: never });
    expect(await refused(file('x'), file('y'))).toEqual(LATE);
    expect(fails.length).toBeGreaterThan(0);
    for (const fail of fails) fail();
    await new Promise((resolve) => setImmediate(resolve));
    await start({});
    expect(await stored(file('x'))).toHaveLength(1);
  });
});

describe('The signal of a callback', () => {
  it.each(late)('%s: tells that the client has gone', async (name) => {
    const asked = new Promise<AbortSignal>((resolve) => {
      void start(
        functions(({ signal }) => {
          resolve(signal);
          return NEVER;
        })[name] ?? {},
      ).then(async () => {
        const client = await route.application.connect();
        client.post(form(file('x')));
        await asked;
        client.destroy();
      });
    });
    const signal = await asked;
    if (!signal.aborted)
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve, { once: true });
      });
    await route.storage.untilNothing();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('tells that another file was refused', async () => {
    const reasons: unknown[] = [];
    const scan: UploadOptions['scan'] = ({ fieldname }, { signal }) =>
      fieldname === 'b'
        ? false
        : new Promise<never>((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              reasons.push((signal.reason as { code?: unknown }).code);
              reject(new Error('stopped'));
            });
          });
    await start({ scan });
    expect(await refused(file('x', 'a'), file('y', 'b'))).toEqual([422, 'FILE_REJECTED']);
    expect(reasons).toEqual(['FILE_REJECTED']);
  });

  it('tells that the form is broken', async () => {
    let aborted: AbortSignal | undefined;
    await start({
      scan: (_file, { signal }) => {
        aborted = signal;
        return NEVER;
      },
    });
    const client = await route.application.connect();
    client.post(form(file('x'), file('y')).toString('latin1').replace(`--${BOUNDARY}--`, '--'));
    expect(await client.answer()).toMatchObject({ status: 400 });
    await route.storage.untilNothing();
    expect(aborted?.aborted).toBe(true);
    client.destroy();
  });

  it('says nothing of an upload that succeeds, whatever the context is asked for', async () => {
    const contexts: UploadContext[] = [];
    await start({
      filter: (_file, context) => {
        contexts.push(context);
        return context.switchToHttp().getRequest<{ method: string }>().method === 'POST';
      },
      scan: (_file, context) => {
        contexts.push(context);
        return context.getType() === 'http';
      },
    });
    await stored(file('x'));
    expect(contexts).toHaveLength(2);
    for (const { signal } of contexts) {
      expect(signal.aborted).toBe(false);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    }
  });
});
