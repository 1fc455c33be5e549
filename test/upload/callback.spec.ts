import { getEventListeners } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { waitFor, watch } from '../../lib/upload/callback.js';
import { IncomingBytes } from '../../lib/upload/file/incoming-bytes.js';
import { progressOfScanner, progressOfTransform } from '../../lib/upload/file/progress.js';

const OPTION = { option: 'scan', file: { fieldname: 'file', originalname: 'a.bin' }, milliseconds: 1000 };

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
});

afterEach(() => {
  jest.useRealTimers();
});

describe('Waiting for a callback', () => {
  it('gives at once what is no promise, and sets no timer', () => {
    const { signal } = new AbortController();
    expect(waitFor('at once', { ...OPTION, signal })).toBe('at once');
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([
    ['resolves', Promise.resolve(5), 'toBe', 5],
    ['rejects', Promise.reject(new Error('no')), 'toThrow', 'no'],
  ] as const)('leaves neither timer nor listener when it %s', async (_how, given, matcher, expected) => {
    const { signal } = new AbortController();
    const waiting = expect(waitFor<number>(given, { ...OPTION, signal }));
    await (matcher === 'toBe' ? waiting.resolves.toBe(expected) : waiting.rejects.toThrow('no'));
    expect(jest.getTimerCount()).toBe(0);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('ends with the request, also with one that has ended before', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const before = waitFor(new Promise(() => undefined), { ...OPTION, signal });
    controller.abort(new Error('gone'));
    const after = waitFor(new Promise(() => undefined), { ...OPTION, signal });
    await expect(before).rejects.toThrow('gone');
    await expect(after).rejects.toThrow('gone');
    expect(jest.getTimerCount()).toBe(0);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it.each([Infinity, 2 ** 31])('has no end where %i milliseconds are allowed', (milliseconds) => {
    const { signal } = new AbortController();
    const onOver = jest.fn();
    watch({ ...OPTION, milliseconds, signal }, onOver);
    expect(jest.getTimerCount()).toBe(0);
    expect(onOver).not.toHaveBeenCalled();
  });
});

describe('Somebody who is watched at work', () => {
  /** Watches, and says how many milliseconds it took until he was late. */
  function lateAfter(progress: () => number | undefined, limit = 100_000): number | undefined {
    const onOver = jest.fn();
    const stop = watch({ ...OPTION, signal: new AbortController().signal, progress }, onOver);
    let passed = 0;
    for (; onOver.mock.calls.length === 0 && passed < limit; passed += 10) jest.advanceTimersByTime(10);
    stop();
    return onOver.mock.calls.length === 0 ? undefined : passed;
  }

  it('is late when he has stood still for his time', () => {
    expect(lateAfter(() => 5)).toBe(1000);
  });

  it('is not late as long as he comes on, however slowly', () => {
    expect(lateAfter(() => Math.floor(performance.now() / 700))).toBeUndefined();
  });

  it('is not late while others have to do something first, and has all of his time then', () => {
    const from = performance.now();
    const after = lateAfter(() => (performance.now() - from < 5000 ? undefined : 5)) ?? 0;
    expect(after).toBeGreaterThanOrEqual(5990);
    expect(after).toBeLessThanOrEqual(6260);
  });
});

describe('The progress', () => {
  const bytes = (): IncomingBytes => new IncomingBytes(undefined, () => undefined);

  it('of a scanner: none while a client sends nothing, and while it has nothing to read', () => {
    const incoming = bytes();
    const stream = incoming.open();
    const progress = progressOfScanner(incoming, stream);
    incoming.passOn();
    expect(progress()).toBeUndefined();
    incoming.give(Buffer.alloc(100));
    expect(progress()).toBe(0);
    stream.read();
    expect(progress()).toBeUndefined();
    incoming.give(Buffer.alloc(50));
    expect(progress()).toBe(100);
    stream.read();
    incoming.end();
    expect(progress()).toBe(150);
  });

  it('of a scanner that has destroyed its stream: none of the rest of the file', () => {
    const incoming = bytes();
    const stream = incoming.open();
    const progress = progressOfScanner(incoming, stream);
    incoming.passOn();
    stream.destroy();
    expect(progress()).toBe(0);
    incoming.give(Buffer.alloc(100));
    expect(progress()).toBe(100);
  });

  it('of a transform: what it takes and gives, and none while the storage or the client is slow', () => {
    const incoming = bytes();
    const source = incoming.open();
    const stream = new PassThrough();
    let given = 0;
    const progress = progressOfTransform(incoming, source, stream, () => given);
    incoming.passOn();
    expect(progress()).toBeUndefined();
    incoming.give(Buffer.alloc(10));
    expect(progress()).toBe(0);
    stream.write(source.read());
    // it has given: the storage should read
    expect(progress()).toBeUndefined();
    given += (stream.read() as Buffer).length;
    expect(progress()).toBeUndefined();
    incoming.end();
    expect(progress()).toBe(20);
    stream.end();
    stream.resume();
    Readable.prototype.destroy.call(stream);
    expect(progress()).toBeUndefined();
  });
});
