import { afterEach, describe, expect, it } from '@jest/globals';
import { StorageFileInterceptor, type UploadOptions } from 'nestjs-storages';
import { file, form } from './form.js';
import type { Answer } from './raw-client.js';
import { RoutesApplication } from './routes-application.js';
import { WatchedStorage } from './watched-storage.js';

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');

/** The first bytes that each format says its files begin with, and some more. */
const FILES = {
  png: Buffer.concat([
    ascii('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\0IDAT'),
    Buffer.alloc(50),
  ]),
  jpeg: ascii('\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0'),
  gif: ascii('GIF89a\x01\0\x01\0\0\0\0;'),
  webp: ascii('RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0'),
  pdf: ascii('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n'),
  zip: storedZip('hello.txt', 'hello'),
  docx: storedZip(
    '[Content_Types].xml',
    '<Override ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>',
  ),
  mp4: ascii('\0\0\0\x18ftypisom\0\0\x02\0isomiso2\0\0\0\x08free'),
  mp3: ascii('ID3\x04\0\0\0\0\0\0\xff\xfb\x90\x64\0\0\0\0'),
  html: '<!doctype html><script>alert(1)</script>',
  svg: '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
  text: 'Grüße, a plain text.',
  unknown: Buffer.of(1, 2, 3, 0, 255, 254, 7),
  empty: '',
} satisfies Record<string, Buffer | string>;

const declared = `<?xml version="1.0"?>${FILES.svg}`;

/** Every way to hide an SVG or a page from somebody who looks for its first tag. */
const PAGES: readonly (readonly [what: string, data: Buffer | string])[] = [
  ['SVG', FILES.svg],
  ['SVG with an XML declaration', declared],
  ['SVG behind a comment', `<!-- a picture -->${FILES.svg}`],
  ['SVG behind white space', `\n\t ${FILES.svg}`],
  ['SVG behind a long comment', `<!--${'x'.repeat(5000)}-->${FILES.svg}`],
  ['SVG behind a doctype', `<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x">${FILES.svg}`],
  ['SVG with a byte order mark', `\ufeff${FILES.svg}`],
  ['SVG in UTF-16, little end first', Buffer.from(`\ufeff${declared}`, 'utf16le')],
  ['SVG in UTF-16, big end first', Buffer.from(`\ufeff${declared}`, 'utf16le').swap16()],
  ['SVG in UTF-16 without a mark', Buffer.from(FILES.svg, 'utf16le')],
  ['SVG with a prefix', '<s:svg xmlns:s="http://www.w3.org/2000/svg"/>'],
  ['HTML', FILES.html],
  ['HTML behind a comment', `<!-- x -->${FILES.html}`],
  ['XHTML', '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>'],
];

describe('allowedTypes', () => {
  let application: RoutesApplication | undefined;
  let storage: WatchedStorage;

  afterEach(async () => {
    await application?.close();
    application = undefined;
  });

  async function start(allowedTypes: UploadOptions['allowedTypes']): Promise<void> {
    storage = new WatchedStorage();
    application = await RoutesApplication.start({
      routes: { upload: StorageFileInterceptor('file', { allowedTypes }) },
      storages: { storage },
    });
  }

  /** What a file becomes: its type, or the status and code of the refusal, which has left nothing. */
  async function typeOf(data: Buffer | string, claimed: string, name: string): Promise<unknown> {
    const answer = await application?.post('upload', file(data, 'file', name, claimed));
    return outcome(answer);
  }

  async function outcome(answer: Answer | undefined): Promise<unknown> {
    if (answer?.status === 200) return (answer.body as { file: { contentType: string } }).file.contentType;
    await storage.untilNothing();
    return `${answer?.status ?? ''} ${(answer?.body as { code: string }).code}`;
  }

  async function taken(
    allowedTypes: UploadOptions['allowedTypes'],
    data: Buffer | string,
    claimed = 'application/octet-stream',
    name = 'a',
  ): Promise<unknown> {
    await start(allowedTypes);
    return typeOf(data, claimed, name);
  }

  const REFUSED = '415 UNSUPPORTED_FILE_TYPE';

  describe('finds the type in the bytes', () => {
    it.each([
      ['png', 'image/png', 'image/*'],
      ['jpeg', 'image/jpeg', 'image/*'],
      ['gif', 'image/gif', 'image/*'],
      ['webp', 'image/webp', 'image/*'],
      ['pdf', 'application/pdf', '.pdf'],
      ['zip', 'application/zip', '.zip'],
      ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', '.docx'],
      ['mp4', 'video/mp4', 'video/*'],
      ['mp3', 'audio/mpeg', '.mp3'],
    ] as const)('of %s, which is %s, whatever the client says', async (kind, type, allowed) => {
      await start(allowed);
      expect(await typeOf(FILES[kind], type, `a.${kind}`)).toBe(type);
      expect(await typeOf(FILES[kind], 'text/html', 'a.html')).toBe(type);
      await application?.close();
      await start(type.toUpperCase());
      expect(await typeOf(FILES[kind], 'text/plain', 'a.txt')).toBe(type);
      await application?.close();
      await start(['text/*', 'application/x-tar']);
      expect(await typeOf(FILES[kind], 'text/plain', 'a.txt')).toBe(REFUSED);
    });

    it.each([
      ['unknown bytes', FILES.unknown],
      ['an empty file', FILES.empty],
      ['text', FILES.text],
      ['HTML', FILES.html],
      ['a PDF', FILES.pdf],
    ])('and refuses %s that says it is a PNG', async (_what, data) => {
      expect(await taken('image/*', data, 'image/png', 'a.png')).toBe(REFUSED);
    });

    it.each(PAGES)('and never takes %s for an image', async (_what, data) => {
      await start('image/*');
      for (const [type, name] of [
        ['image/svg+xml', 'a.svg'],
        ['image/png', 'a.png'],
        ['image/svg+xml; charset=utf-8', ''],
        ['text/html', 'a.svg'],
      ] as const) {
        expect(await typeOf(data, type, name === '' ? 'a' : name)).toBe(REFUSED);
      }
    });

    it.each(PAGES)('and never takes %s for another kind of file', async (_what, data) => {
      await start(['application/*', 'audio/*', 'video/*', 'font/*', 'model/*']);
      for (const type of ['image/svg+xml', 'application/xml', 'application/xhtml+xml', 'application/octet-stream']) {
        expect(await typeOf(data, type, 'a.svg')).toBe(REFUSED);
      }
    });

    it('and takes what begins as a GIF for one, whatever comes behind', async () => {
      expect(await taken('image/*', ascii(`GIF89a/*${FILES.html}*/=1;`), 'text/html', 'a.html')).toBe('image/gif');
    });

    it.each([
      ['the type', Buffer.concat([FILES.png, Buffer.alloc(4096)]), 'image/png'],
      ['none', Buffer.from(`<!--${'x'.repeat(4096)}-->${FILES.svg}`), REFUSED],
    ])('and finds %s where they come one by one', async (_what, data, expected) => {
      await start('image/*');
      const body = form(file(data, 'file', 'a.png', 'image/png'));
      const client = await application?.connect();
      client?.socket.setNoDelay(true);
      client?.head({ 'Content-Length': String(body.length) });
      for (const byte of body) {
        await client?.send(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await outcome(await client?.answer())).toBe(expected);
      client?.destroy();
    });

    it('and refuses a large file before it has come, with nothing left', async () => {
      await start('image/*');
      const body = form(file(Buffer.alloc(300_000, 'x'), 'file', 'a.png', 'image/png'));
      const client = await application?.connect();
      client?.head({ 'Content-Length': String(body.length) });
      await client?.send(body.subarray(0, 200_000));
      expect(await outcome(await client?.answer())).toBe(REFUSED);
      client?.destroy();
    });
  });

  describe('takes text', () => {
    it.each([
      ['text/*', 'text/plain', 'a.txt', 'text/plain'],
      ['text/*', 'TEXT/CSV', 'a.csv', 'text/csv'],
      ['text/*', 'text/markdown; charset=utf-8', 'a', 'text/markdown'],
      ['text/*', 'application/octet-stream', 'a.md', 'text/markdown'],
      ['text/csv', 'application/octet-stream', 'a.csv', 'text/csv'],
      ['text/csv', 'application/vnd.ms-excel', 'a.CSV', 'text/csv'],
      ['.csv', 'text/csv', 'a', 'text/csv'],
      ['.csv', 'text/plain', 'a.csv', 'text/csv'],
      ['application/yaml', 'application/yaml', 'a', 'application/yaml'],
    ])('under %s that claims to be %s and is called %s', async (allowed, claimed, name, expected) => {
      expect(await taken(allowed, FILES.text, claimed, name)).toBe(expected);
    });

    it.each([
      ['no text type is named', ['image/*', 'application/pdf'], FILES.text, 'text/plain', 'a.txt'],
      ['another one is named', 'text/csv', FILES.text, 'text/plain', 'a.txt'],
      ['nobody claims it', 'text/*', FILES.text, 'application/octet-stream', 'a'],
      ['the bytes are no text', 'text/*', FILES.unknown, 'text/plain', 'a.txt'],
      ['the bytes are an image', 'text/*', FILES.png, 'text/plain', 'a.txt'],
      ['the bytes are Latin-1', 'text/*', ascii('Gr\xfc\xdfe'), 'text/plain', 'a.txt'],
      ['it is HTML', 'text/*', FILES.html, 'text/html', 'a.html'],
      ['it is a style', 'text/*', 'a { color: red }', 'text/css', 'a.css'],
      ['it is XML', 'text/*', '<a/>', 'text/xml', 'a.xml'],
      ...[
        'text/javascript',
        'text/ecmascript',
        'text/x-javascript',
        'text/x-ecmascript',
        'text/jscript',
        'text/livescript',
        'text/javascript1.5',
        'text/vbscript',
        'text/xsl',
      ].map((type) => [`it is ${type}`, 'text/*', 'alert(1)', type, 'a'] as const),
      ['it is a script of an application', 'application/*', 'alert(1)', 'application/x-javascript', 'a'],
    ] as const)('only where it is named: not where %s', async (_what, allowed, data, claimed, name) => {
      expect(await taken(allowed, data, claimed, name)).toBe(REFUSED);
    });

    it.each([
      ['application/json', '{"a":1}', 'application/json'],
      ['application/json', ' [1]', 'application/json'],
      ['.json', '"x"', 'application/json'],
      ['application/json', 'hello', REFUSED],
      ['application/*', '{"a":1}', 'application/json'],
      ['image/*', '{"a":1}', REFUSED],
    ])('under %s the JSON %s', async (allowed, data, expected) => {
      const found = await taken(allowed, data, 'application/json', 'a.json');
      expect(found).toBe(expected);
    });
  });

  describe('takes what a browser runs only by its own name, and only where the bytes look so', () => {
    it.each([
      ['image/svg+xml', FILES.svg, 'image/svg+xml', 'image/svg+xml'],
      ['.svg', declared, 'image/svg+xml', 'image/svg+xml'],
      [['image/*', 'image/svg+xml'], `<!-- x -->${FILES.svg}`, 'image/svg+xml', 'image/svg+xml'],
      ['image/svg+xml', FILES.html, 'image/svg+xml', REFUSED],
      ['image/svg+xml', FILES.text, 'image/svg+xml', REFUSED],
      ['image/svg+xml', FILES.svg, 'image/png', 'image/svg+xml'],
      ['text/html', FILES.html, 'text/html', 'text/html'],
      ['.html', FILES.html, 'text/html', 'text/html'],
      ['text/html', FILES.text, 'text/html', REFUSED],
      ['text/html', FILES.unknown, 'text/html', REFUSED],
      ['text/javascript', 'alert(1)', 'text/javascript', 'text/javascript'],
    ] as const)('%j', async (allowed, data, claimed, expected) => {
      expect(await taken(allowed, data, claimed, claimed === 'image/png' ? 'a.svg' : 'a')).toBe(expected);
    });
  });

  describe('takes what nobody knows', () => {
    it('only where application/octet-stream itself is named', async () => {
      expect(await taken('application/octet-stream', FILES.unknown)).toBe('application/octet-stream');
      await application?.close();
      expect(await taken('application/*', FILES.unknown)).toBe(REFUSED);
      await application?.close();
      expect(await taken(['application/*', '.bin'], FILES.unknown)).toBe('application/octet-stream');
    });
  });

  it('names what it takes and what was found in the answer', async () => {
    await start(['image/*', '.pdf']);
    expect((await application?.post('upload', file('PK', 'file')))?.body).toMatchObject({
      statusCode: 415,
      message:
        'Unsupported file type: the field "file" takes image/*, .pdf, and the bytes that were sent are application/octet-stream.',
    });
  });

  it('says of an empty file that it is empty, not that it has a type', async () => {
    await start('image/*');
    expect((await application?.post('upload', file('', 'file')))?.body).toMatchObject({
      statusCode: 415,
      message: 'Unsupported file type: the field "file" takes image/*, and the file that was sent is empty.',
    });
  });
});

/** The beginning of a zip file: one entry, not compressed (APPNOTE.TXT, section 4.3.7). */
function storedZip(name: string, content: string): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt32LE(Buffer.byteLength(content), 18);
  header.writeUInt32LE(Buffer.byteLength(content), 22);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name + content)]);
}
