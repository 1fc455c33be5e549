import { AssertionError } from 'node:assert';
import { inspect } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { getStorageToken, isStorage, MemoryStorage, type Storage } from 'nestjs-storages';
import { FakeStorage } from 'nestjs-storages/testing';

let fake: FakeStorage;
beforeEach(() => {
  fake = new FakeStorage();
});

/** What an assertion throws, with what Jest, Vitest and node:test show of it. */
function failureOf(assertion: () => unknown): AssertionError {
  try {
    assertion();
  } catch (error) {
    if (error instanceof AssertionError) return error;
    throw error;
  }
  throw new Error('the assertion passed');
}

describe('assertExists', () => {
  it('passes for a stored file, and returns it', async () => {
    const file = await fake.put('a/b.txt', 'text', { metadata: { owner: 'ada' } });
    expect(fake.assertExists('a/b.txt')).toEqual(file);
    expect(fake.assertExists('/a//b.txt', { contentType: 'text/plain', metadata: { owner: 'ada' }, size: 4 })).toEqual(
      file,
    );
  });

  it('names what is stored when there is no such file', async () => {
    await fake.put('b.txt', '1');
    await fake.put('c/d.txt', '2');
    expect(failureOf(() => fake.assertExists('a.txt'))).toMatchObject({
      code: 'ERR_ASSERTION',
      message: 'There is no file "a.txt". The storage holds 2 files: "b.txt", "c/d.txt".',
      actual: ['b.txt', 'c/d.txt'],
      expected: ['a.txt', 'b.txt', 'c/d.txt'],
    });
  });

  it('says that nothing is stored', () => {
    expect(failureOf(() => fake.assertExists('a.txt')).message).toBe('There is no file "a.txt". The storage is empty.');
  });

  it('names only the first 20 of many keys', async () => {
    for (let i = 100; i < 125; i++) await fake.put(`k${i}`, '');
    expect(failureOf(() => fake.assertExists('a')).message).toMatch(/holds 25 files: "k100", .*"k119" and 5 more\.$/);
  });

  it('names the attributes that differ, and shows both sides of all that were expected', async () => {
    await fake.put('a.txt', 'text', { metadata: { owner: 'ada', team: 'x' }, cacheControl: 'no-store' });
    expect(
      failureOf(() => fake.assertExists('a.txt', { metadata: { owner: 'ada' }, contentType: 'text/plain', size: 5 })),
    ).toMatchObject({
      message: 'The file "a.txt" has another metadata, size than expected.',
      actual: { metadata: { owner: 'ada', team: 'x' }, contentType: 'text/plain', size: 4 },
      expected: { metadata: { owner: 'ada' }, contentType: 'text/plain', size: 5 },
    });
  });

  it('takes an attribute that is expected to be absent', async () => {
    await fake.put('a.txt', 'text', { cacheControl: 'no-store' });
    fake.assertExists('a.txt', { contentEncoding: undefined });
    expect(failureOf(() => fake.assertExists('a.txt', { cacheControl: undefined })).actual).toEqual({
      cacheControl: 'no-store',
    });
  });
});

describe('assertMissing', () => {
  it('passes where there is no file, also for a prefix of keys', async () => {
    await fake.put('a/b', '1');
    fake.assertMissing('a');
    fake.assertMissing('a/b/c');
  });

  it('names what is stored', async () => {
    await fake.put('a', '1');
    await fake.put('b', '1');
    expect(
      failureOf(() => {
        fake.assertMissing('a');
      }),
    ).toMatchObject({
      message: 'Expected no file "a". The storage holds 2 files: "a", "b".',
      actual: ['a', 'b'],
      expected: ['b'],
    });
  });
});

describe('assertCount', () => {
  beforeEach(async () => {
    for (const key of ['a/1', 'a/2', 'ab']) await fake.put(key, '');
  });

  it('counts all, and under a plain prefix', () => {
    fake.assertCount(3);
    fake.assertCount(2, 'a/');
    fake.assertCount(3, 'a');
    fake.assertCount(0, '%');
  });

  it('names what is stored', () => {
    expect(
      failureOf(() => {
        fake.assertCount(1);
      }),
    ).toMatchObject({
      message: 'Expected 1 file, and there are 3: "a/1", "a/2", "ab".',
      actual: 3,
      expected: 1,
    });
    expect(
      failureOf(() => {
        fake.assertCount(2, 'ab');
      }).message,
    ).toBe(
      'Expected 2 files under the prefix "ab", and there is 1: "ab". The storage holds 3 files: "a/1", "a/2", "ab".',
    );
  });
});

describe('assertContent', () => {
  it('compares text and bytes', async () => {
    await fake.put('a', 'grüße');
    fake.assertContent('a', 'grüße');
    fake.assertContent('a', Buffer.from('grüße'));
    fake.assertContent('a', new Uint8Array(Buffer.from('grüße')));
  });

  it('shows text as text, and says where it differs', async () => {
    await fake.put('a', 'one two');
    expect(
      failureOf(() => {
        fake.assertContent('a', 'one three');
      }),
    ).toMatchObject({
      message: 'The file "a" has other bytes than expected: 7 bytes against 9, the first difference at offset 5.',
      actual: 'one two',
      expected: 'one three',
    });
  });

  it('shows other bytes in hexadecimal, around the first difference only', async () => {
    const bytes = Buffer.alloc(1_000_000, 0xff);
    await fake.put('a', bytes);
    const other = Buffer.from(bytes);
    other[900_000] = 0x01;
    const failure = failureOf(() => {
      fake.assertContent('a', other);
    });
    expect(failure.message).toContain('the first difference at offset 900000');
    expect(failure.expected).toMatch(/^(?:ff){128}01(?:ff){127}$/);
    expect(failure.actual).toMatch(/^(?:ff){256}$/);
  });

  it('names what is stored when there is no such file', () => {
    expect(
      failureOf(() => {
        fake.assertContent('a', '');
      }).message,
    ).toContain('The storage is empty.');
  });
});

it('can be asserted after it was closed', async () => {
  await fake.put('a', 'text');
  await fake.close();
  fake.assertContent('a', 'text');
  await expect(fake.exists('a')).rejects.toMatchObject({ code: 'STORAGE_CLOSED' });
});

it('names itself in errors', async () => {
  await expect(fake.info('a')).rejects.toMatchObject({ storage: 'fake' });
  await expect(new FakeStorage({ name: 'avatars' }).info('a')).rejects.toMatchObject({ storage: 'avatars' });
});

it('takes the settings of a memory storage', async () => {
  await expect(new FakeStorage({ maxBytes: 3 }).put('a', '1234')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
});

describe('calls', () => {
  it('shows each call with its key, its options and how it ended', async () => {
    await fake.put('a.txt', 'secret', { contentType: 'text/plain' });
    await expect(fake.get('b')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await fake.move('a.txt', 'c', { ifNoneMatch: '*' });

    expect(fake.calls).toEqual([
      { method: 'put', key: 'a.txt', options: { contentType: 'text/plain' }, outcome: 'resolved' },
      {
        method: 'get',
        key: 'b',
        options: {},
        outcome: 'rejected',
        error: expect.objectContaining({ code: 'FILE_NOT_FOUND' }),
      },
      { method: 'move', key: 'a.txt', destination: 'c', options: { ifNoneMatch: '*' }, outcome: 'resolved' },
    ]);
    expect(inspect(fake.calls, { depth: Infinity })).not.toContain('secret');
  });

  it('knows every method', async () => {
    await fake.put('a', '1');
    const staged = await fake.stage('b', '2');
    await staged.commit();
    await (await fake.stage('c', '3')).abort();
    (await fake.get('a')).destroy();
    await fake.getBytes('a');
    await fake.info('a');
    await fake.exists('a');
    for await (const _ of fake.list('a')) break;
    for await (const _ of fake.listEntries()) continue;
    await fake.copy('a', 'd');
    await fake.move('d', 'e');
    await fake.url('a');
    await expect(fake.uploadUrl('a', { expiresIn: 1 })).rejects.toMatchObject({ code: 'UNSUPPORTED_OPERATION' });
    await fake.delete('a');
    await fake.deleteMany(['b', 'x']);
    await fake.deletePrefix('e');
    await fake.close();

    expect(fake.calls.map(({ method, outcome }) => `${method} ${outcome}`)).toEqual([
      'put resolved',
      'stage resolved',
      'commit resolved',
      'stage resolved',
      'abort resolved',
      'get resolved',
      'getBytes resolved',
      'info resolved',
      'exists resolved',
      'list resolved',
      'listEntries resolved',
      'copy resolved',
      'move resolved',
      'url resolved',
      'uploadUrl rejected',
      'delete resolved',
      'deleteMany resolved',
      'deletePrefix resolved',
      'close resolved',
    ]);
    expect(fake.calls).toContainEqual({ method: 'deleteMany', keys: ['b', 'x'], options: {}, outcome: 'resolved' });
    expect(fake.calls).toContainEqual({ method: 'list', prefix: 'a', options: {}, outcome: 'resolved' });
  });

  it('shows a call that has not ended as pending', async () => {
    const put = fake.put('a', '1');
    expect(fake.calls).toMatchObject([{ method: 'put', outcome: 'pending' }]);
    await put;
    expect(fake.calls).toMatchObject([{ method: 'put', outcome: 'resolved' }]);
  });
});

it('reset forgets files and calls', async () => {
  await fake.put('a', '1');
  fake.reset();
  fake.assertCount(0);
  expect(fake.calls).toEqual([]);
  expect(await fake.exists('a')).toBe(false);
});

it('stands in for a storage of the application', async () => {
  @Injectable()
  class Avatars {
    constructor(@Inject(getStorageToken('avatars')) readonly storage: Storage) {}
  }
  const module = await Test.createTestingModule({
    providers: [Avatars, { provide: getStorageToken('avatars'), useValue: new MemoryStorage() }],
  })
    .overrideProvider(getStorageToken('avatars'))
    .useValue(fake)
    .compile();

  expect(module.get(Avatars).storage).toBe(fake);
  expect(isStorage(fake)).toBe(true);
  await module.close();
});
