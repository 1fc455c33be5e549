import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ConnectionError, MemoryStorage, storedFile, StorageFileInterceptor } from 'nestjs-storages';
import { FaultyStorage } from 'nestjs-storages/testing';
import { Observable } from 'rxjs';
import { until } from '../until.js';
import { file, form, FORM_TYPE } from './form.js';
import { RoutesApplication } from './routes-application.js';

const SIZE = 4 * 1024 * 1024;

/** Gives one value, and ends when it is told to. */
function endingAfter<T>(value: T, end: Promise<unknown>): Observable<T> {
  return new Observable((subscriber) => {
    subscriber.next(value);
    void end.then(() => {
      subscriber.complete();
    });
  });
}

describe('An upload whose answer is a download', () => {
  let application: RoutesApplication;

  afterEach(() => application.close());

  it.each([
    ['at once', false],
    ['when the download has been opened', true],
  ])('goes where the download breaks off, also where the handler ends %s', async (_when, isLate) => {
    const uploads = new MemoryStorage();
    const answers = new FaultyStorage(new MemoryStorage());
    await answers.put('large', Buffer.alloc(SIZE));
    answers.failReading('get', { afterBytes: SIZE / 2, error: new ConnectionError('gone') });
    let hasOpened: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (hasOpened = resolve));
    const get = answers.get.bind(answers);
    answers.get = async (...args) => {
      const stream = await get(...args);
      hasOpened();
      return stream;
    };
    const ready = async (): Promise<void> => {
      await opened;
      // the answer is made of it by then
      for (let turns = 0; turns < 10; turns++) await turn();
    };
    application = await RoutesApplication.start({
      routes: { upload: StorageFileInterceptor('file') },
      storages: { uploads, answers },
      handler: () => endingAfter(storedFile(answers, 'large'), isLate ? ready() : Promise.resolve()),
    });

    const body = new Uint8Array(form(file('bytes')));
    const url = `http://127.0.0.1:${application.port}/upload`;
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': FORM_TYPE }, body });
    expect(answer.status).toBe(200);
    await expect(answer.arrayBuffer()).rejects.toThrow();
    await until('the upload is taken back', async () => {
      for await (const _file of uploads.list()) return false;
      return true;
    });
  });
});
