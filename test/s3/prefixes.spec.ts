import { expect, it } from '@jest/globals';
import { chunks, onS3, PART } from './on-s3.js';

await onS3('Storages that share a bucket', (bucket) => {
  it('do not see each other, also where one prefix begins with the other', async () => {
    const [a, ab, inA] = [
      bucket.storage({ prefix: 'a' }),
      bucket.storage({ prefix: 'ab/' }),
      bucket.storage({ prefix: 'a/b' }),
    ];
    const keysOf = async (storage: typeof a): Promise<string[]> => {
      const keys: string[] = [];
      for await (const { key } of storage.list()) keys.push(key);
      return keys;
    };
    await a.put('x', 'in a');
    await ab.put('x', 'in ab');
    expect([await keysOf(a), await keysOf(ab), await keysOf(inA)]).toEqual([['x'], ['x'], []]);
    expect((await a.getBytes('x')).toString()).toBe('in a');
    await expect(a.get('../ab/x')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await a.copy('x', 'y');
    expect(await a.deletePrefix('', { all: true })).toMatchObject({ deleted: ['x', 'y'] });
    expect(await keysOf(ab)).toEqual(['x']);
  });

  it('do not sweep each other', async () => {
    const [a, ab] = [bucket.storage({ prefix: 'a' }), bucket.storage({ prefix: 'ab' })];
    await ab.stage('large', chunks(2 * PART));
    // another process than that which staged
    expect(await a.sweep({ olderThan: 0 })).toEqual({ aborted: 0 });
    expect(await bucket.openUploads()).toHaveLength(1);
  });

  it('list neither what other tools leave for folders nor their own place', async () => {
    const storage = bucket.storage({ prefix: 'marked' });
    const whole = bucket.storage();
    await storage.put('file', '1');
    for (const Key of ['marked/', 'marked/folder/', 'marked/a//b']) {
      await bucket.server.put(bucket.name, Key);
    }
    const listed: string[] = [];
    for await (const { key } of storage.list()) listed.push(key);
    expect(listed).toEqual(['file']);
    // whether there is a key below `folder/` a page of one level does not tell; below `a//` and `/` there can be none
    await bucket.server.put(bucket.name, 'marked//nestjs-storages-probe/0');
    const entries = async (prefix: string): Promise<string[]> => {
      const names: string[] = [];
      for await (const entry of storage.listEntries(prefix)) {
        names.push(entry.kind === 'file' ? entry.file.key : entry.prefix);
      }
      return names;
    };
    expect(await entries('')).toEqual(['a/', 'file', 'folder/']);
    expect(await entries('a/')).toEqual([]);
    expect(await whole.exists('marked/file')).toBe(true);
  });
});
