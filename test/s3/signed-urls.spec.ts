import { createHash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { onS3, withClock } from './on-s3.js';

await onS3('A signed URL', (bucket) => {
  it.each(['a.txt', 'ä ö/+ %20?#&=.txt', "it's (odd)!*~.txt"])(
    'gives %s to a plain fetch, as it was asked for',
    async (key) => {
      const storage = bucket.storage({ prefix: 'url' });
      await storage.put(key, 'signed', { contentType: 'text/plain' });
      const plain = await fetch(await storage.url(key));
      expect([plain.status, plain.headers.get('content-type'), await plain.text()]).toEqual([
        200,
        'text/plain',
        'signed',
      ]);
      const disposition = 'attachment; filename="a.txt"';
      const asked = await fetch(await storage.url(key, { expiresIn: '1m', disposition, contentType: 'text/x-a' }));
      expect([asked.status, asked.headers.get('content-type'), asked.headers.get('content-disposition')]).toEqual([
        200,
        'text/x-a',
        disposition,
      ]);
    },
  );

  it('to put takes exactly the type and the length it was made for', async () => {
    const storage = bucket.storage();
    const upload = await storage.uploadUrl('put.txt', { expiresIn: 60, contentType: 'text/plain', size: 5 });
    if (upload.method !== 'PUT') throw new Error('expected a PUT');
    const put = (body: string, headers: Record<string, string>) => fetch(upload.url, { method: 'PUT', body, headers });
    expect((await put('12345', { ...upload.headers, 'content-type': 'text/html' })).status).toBe(403);
    expect((await put('123456', upload.headers)).status).toBe(403);
    expect(await storage.exists('put.txt')).toBe(false);
    expect((await put('12345', upload.headers)).status).toBe(200);
    expect(await storage.info('put.txt')).toMatchObject({ size: 5, contentType: 'text/plain' });
  });

  it('to put carries what the storage gives every object', async () => {
    const storage = bucket.storage({ tags: { team: 'a & b' }, storageClass: 'STANDARD' });
    const upload = await storage.uploadUrl('tagged.txt', { expiresIn: 60 });
    if (upload.method !== 'PUT') throw new Error('expected a PUT');
    expect(upload.headers).toMatchObject({ 'x-amz-tagging': 'team=a%20%26%20b', 'content-type': 'text/plain' });
    expect(
      (await fetch(upload.url, { method: 'PUT', body: 'x', headers: { 'content-type': 'text/plain' } })).status,
    ).toBe(403);
    expect((await fetch(upload.url, { method: 'PUT', body: 'x', headers: upload.headers })).status).toBe(200);
    expect(await bucket.server.tags(bucket.name, 'tagged.txt')).toEqual({ team: 'a & b' });
  });

  it('to post takes no more than its limit', async () => {
    const storage = bucket.storage({ prefix: 'post' });
    const upload = await storage.uploadUrl('a b/ü.png', { expiresIn: 60, maxSize: 10 });
    if (upload.method !== 'POST') throw new Error('expected a POST');
    const post = (body: string): Promise<Response> => {
      const form = new FormData();
      for (const [name, value] of Object.entries(upload.fields)) form.append(name, value);
      form.append('file', new Blob([body]));
      return fetch(upload.url, { method: 'POST', body: form });
    };
    expect((await post('x'.repeat(11))).status).toBe(400);
    expect(await storage.exists('a b/ü.png')).toBe(false);
    expect((await post('x'.repeat(10))).status).toBe(204);
    expect(await storage.info('a b/ü.png')).toMatchObject({ size: 10, contentType: 'image/png' });
  });

  it('to put is bound to a checksum that the server checks', async () => {
    const storage = bucket.storage();
    const checksum = { md5: createHash('md5').update('right').digest('hex') };
    const upload = await storage.uploadUrl('sum.txt', { expiresIn: 60, checksum });
    if (upload.method !== 'PUT') throw new Error('expected a PUT');
    const put = (body: string, headers: Record<string, string>) => fetch(upload.url, { method: 'PUT', body, headers });
    expect((await put('wrong', upload.headers)).status).toBe(400);
    const { 'content-md5': _left, ...without } = upload.headers;
    expect((await put('wrong', without)).status).toBe(403);
    expect(await storage.exists('sum.txt')).toBe(false);
    expect((await put('right', upload.headers)).status).toBe(200);
  });

  it('signs a sha256 and a crc32 only where the server is known to check them', async () => {
    const checksum = { sha256: createHash('sha256').update('right').digest('hex') };
    const storage = bucket.storage({ integrity: 'md5' });
    await expect(storage.uploadUrl('a', { expiresIn: 60, checksum })).rejects.toMatchObject({
      code: 'UNSUPPORTED_OPERATION',
    });
    const checked = await bucket.storage({ integrity: 'crc32' }).uploadUrl('a', { expiresIn: 60, checksum });
    expect(checked).toMatchObject({
      headers: { 'x-amz-checksum-sha256': Buffer.from(checksum.sha256, 'hex').toString('base64') },
      url: expect.stringContaining('x-amz-checksum-sha256') as unknown,
    });
  });

  it('is a form where one is asked for, of an exact length too', async () => {
    const storage = bucket.storage();
    const upload = await storage.uploadUrl('form.txt', { expiresIn: 60, method: 'POST', size: 5 });
    if (upload.method !== 'POST') throw new Error('expected a POST');
    const post = async (body: string): Promise<number> => {
      const form = new FormData();
      for (const [name, value] of Object.entries(upload.fields)) form.append(name, value);
      form.append('file', new Blob([body]));
      return (await fetch(upload.url, { method: 'POST', body: form })).status;
    };
    expect([await post('1234'), await post('123456'), await post('12345')]).toEqual([400, 400, 204]);
  });

  it.each([
    [{ maxSize: 5, method: 'PUT' }],
    [{ maxSize: 5, ifNoneMatch: '*' }],
    [{ method: 'POST', checksum: { md5: '0'.repeat(32) } }],
  ] as const)('is refused for what S3 cannot bind together: %j', async (options) => {
    await expect(bucket.storage().uploadUrl('a', { expiresIn: 60, ...options })).rejects.toMatchObject({
      code: 'UNSUPPORTED_OPERATION',
    });
  });

  it('to post is refused where the server has no policies', async () => {
    const storage = bucket.storage({ postPolicies: false });
    await expect(storage.uploadUrl('a', { expiresIn: 60, maxSize: 10 })).rejects.toMatchObject({
      code: 'UNSUPPORTED_OPERATION',
    });
    await expect(storage.uploadUrl('a', { expiresIn: 60, maxSize: 10, size: 5 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('to post is refused for a key that its client would complete', async () => {
    const storage = bucket.storage();
    for (const key of ['mine/${filename}', 'mine/${filename}.png']) {
      await expect(storage.uploadUrl(key, { expiresIn: 60, maxSize: 10 })).rejects.toMatchObject({
        code: 'UNSUPPORTED_OPERATION',
      });
    }
    const upload = await storage.uploadUrl('mine/${filename}', { expiresIn: 60, size: 1 });
    expect(
      (await fetch(upload.url, { method: 'PUT', body: 'x', headers: { 'content-type': 'application/octet-stream' } }))
        .status,
    ).toBe(200);
    expect(await storage.exists('mine/${filename}')).toBe(true);
  });

  it.each([' a', 'a ', 'a/b '])('to post is refused for the key "%s", which a server may strip', async (key) => {
    const storage = bucket.storage();
    await expect(storage.uploadUrl(key, { expiresIn: 60, maxSize: 10 })).rejects.toMatchObject({
      code: 'UNSUPPORTED_OPERATION',
    });
    const upload = await storage.uploadUrl(key, { expiresIn: 60, contentType: 'text/plain' });
    if (upload.method !== 'PUT') throw new Error('expected a PUT');
    expect((await fetch(upload.url, { method: 'PUT', body: 'x', headers: upload.headers })).status).toBe(200);
    expect(await storage.exists(key)).toBe(true);
    // under a prefix it begins with that
    const prefixed = bucket.storage({ prefix: 'spaces' }).uploadUrl(key, { expiresIn: 60, maxSize: 10 });
    await (key === ' a' ? prefixed : expect(prefixed).rejects.toThrow());
  });

  it('lives for whole seconds', async () => {
    const url = new URL(await bucket.storage({ urlExpiresIn: 90.5 }).url('a'));
    expect(url.searchParams.get('X-Amz-Expires')).toBe('90');
  });

  it('of a public bucket is its plain address', async () => {
    const storage = bucket.storage({ baseUrl: 'https://cdn.example.org/files' });
    expect(await storage.url('a b.txt')).toBe('https://cdn.example.org/files/a%20b.txt');
    expect(await storage.url('a b.txt', { expiresIn: 60 })).toContain('X-Amz-Signature=');
  });

  it('is dated by the server\u2019s clock, once an answer has told it', async () => {
    await withClock(-3_600_000, async () => {
      const storage = bucket.storage();
      await storage.put('dated.txt', 'dated');
      const options = { expiresIn: '15m', contentType: 'text/plain' } as const;
      expect((await fetch(await storage.url('dated.txt', { expiresIn: '15m' }))).status).toBe(200);
      const put = await storage.uploadUrl('dated.txt', { ...options, size: 1 });
      if (put.method !== 'PUT') throw new Error('expected a PUT');
      expect((await fetch(put.url, { method: 'PUT', headers: put.headers, body: '1' })).status).toBe(200);
      const post = await storage.uploadUrl('dated.txt', { ...options, maxSize: 1 });
      if (post.method !== 'POST') throw new Error('expected a POST');
      const form = new FormData();
      for (const [name, value] of Object.entries(post.fields)) form.append(name, value);
      form.append('file', new Blob(['1']));
      expect((await fetch(post.url, { method: 'POST', body: form })).status).toBe(204);
      // whoever holds it looks at a clock of this machine
      const left = put.expiresAt.getTime() - Date.now();
      expect(left > 800_000 && left <= 900_000).toBe(true);
    });
  });

  it('does not outlive the credentials that sign it', async () => {
    const credentials = { ...bucket.server.connection.credentials, expiration: new Date(Date.now() + 90_500) };
    const storage = bucket.storage({ credentials });
    const life = async (expiresIn: number): Promise<number> =>
      Number(new URL(await storage.url('a', { expiresIn })).searchParams.get('X-Amz-Expires'));
    expect(await life(30)).toBe(30);
    expect(await life(3600)).toBeLessThanOrEqual(90);
    const { expiresAt } = await storage.uploadUrl('a', { expiresIn: 3600 });
    expect(expiresAt.getTime()).toBeLessThanOrEqual(credentials.expiration.getTime());
  });

  it('is not signed with credentials that have expired', async () => {
    const credentials = { ...bucket.server.connection.credentials, expiration: new Date(Date.now() - 1000) };
    const storage = bucket.storage({ credentials });
    const expired = {
      code: 'PERMISSION_DENIED',
      message: `The credentials for the server have expired (${credentials.expiration.toISOString()}): what they sign works for nobody.`,
    };
    await expect(storage.url('a', { expiresIn: 60 })).rejects.toMatchObject(expired);
    await expect(storage.uploadUrl('a', { expiresIn: 60 })).rejects.toMatchObject(expired);
    await expect(storage.uploadUrl('a', { expiresIn: 60, maxSize: 1 })).rejects.toMatchObject(expired);
  });
});
