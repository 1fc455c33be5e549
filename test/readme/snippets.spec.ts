import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCRIPT = join(ROOT, 'test/readme/sync-snippets.js');

/** Runs the script as `npm run docs:sync` does. Resolves to what it said; its code is 0 or 1. */
function sync(cwd: string, ...args: string[]): Promise<{ code: unknown; said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...args], { cwd }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, said: (stdout + stderr).trim() });
    });
  });
}

describe('the documents', () => {
  it('show only code that is compiled and run, as it stands in its file', async () => {
    const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts['docs:sync']).toBe('node test/readme/sync-snippets.js README.md docs/*.md');
    const pages = (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md'));
    const documents = ['README.md', ...pages.map((name) => `docs/${name}`)];
    expect(await sync(ROOT, '--check', ...documents)).toEqual({ code: 0, said: '' });
  });
});

/** What a page calls its headings in links, as GitHub and npm do. */
function anchorsOf(text: string): string[] {
  return [...text.replace(/^```.*?^```/gms, '').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('links of the documents', () => {
  it('lead to a file that is there, and to a heading in it', async () => {
    const pages = await readdir(join(ROOT, 'docs'), { recursive: true });
    const documents = ['README.md', ...pages.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
    const broken: string[] = [];
    let followed = 0;
    for (const document of documents) {
      const text = await readFile(join(ROOT, document), 'utf8');
      for (const [, target = ''] of text.replace(/^```.*?^```/gms, '').matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        followed++;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? document : join(dirname(document), path);
        const exists = await stat(join(ROOT, file)).then(Boolean, () => false);
        if (!exists) broken.push(`${document}: ${target}`);
        else if (anchor !== undefined && !anchorsOf(await readFile(join(ROOT, file), 'utf8')).includes(anchor)) {
          broken.push(`${document}: ${target}`);
        }
      }
    }
    expect(broken).toEqual([]);
    expect(followed).toBeGreaterThan(100);
  });
});

describe('the script that keeps them so', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'snippets-'));
    await write(
      'code/a.spec.ts',
      ['import { b } from "./none.js";', "const b = await import('./b.js');", 'it("runs", () => {', '  // #region body']
        .concat(['  const x = 1;', '', '  // #region inner', '    const y = 2;', '  // #endregion inner'])
        .concat(['  // #endregion body', '});', ''])
        .join('\n'),
    );
    await write('code/b.ts', "import { c } from './c.js';\n// #region open\nexport const b = c;\n");
    await write('code/c.ts', 'export const c = 1;\n');
    await write('code/idle.ts', 'export const idle = 1;\n');
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }

  const document = (marker: string, ...code: string[]): string =>
    ['# Title', '', marker, '', '```ts', ...code, '```', ''].join('\n');

  const body = ['const x = 1;', '', '  const y = 2;'];

  it('passes a block that is its region, less its indent and the marks inside', async () => {
    await write('doc.md', document('<!-- snippet: code/a.spec.ts#body -->', ...body));
    expect(await sync(folder, '--check', 'doc.md')).toEqual({ code: 0, said: '' });
  });

  it('passes a whole file that a test runs by way of another', async () => {
    await write('doc.md', document('<!-- snippet: code/c.ts -->', 'export const c = 1;'));
    expect(await sync(folder, '--check', 'doc.md')).toEqual({ code: 0, said: '' });
  });

  it('passes other languages and ordinary comments', async () => {
    await write('doc.md', '<!-- prettier-ignore -->\n```sh\nnpm ci\n```\n\n```\n<!-- snippet: nothing -->\n```\n');
    expect(await sync(folder, '--check', 'doc.md')).toEqual({ code: 0, said: '' });
  });

  it.each([
    [
      'a block that differs',
      document('<!-- snippet: code/a.spec.ts#body -->', 'const x = 2;'),
      'doc.md:5: differs from',
    ],
    ['a block without a marker', document('', 'const x = 1;'), 'doc.md:5: this block has no marker'],
    [
      'a block in a list without a marker',
      '- item\n\n    ```ts\n    x\n    ```\n',
      'doc.md:3: this block has no marker',
    ],
    [
      'a block whose marker belongs to another place',
      document('<!-- snippet: code/c.ts -->\n\ntext', 'export const c = 1;'),
      'doc.md:7: this block has no marker',
    ],
    ['a marker without a block', 'a\n<!-- snippet: code/c.ts -->\nb\n', 'doc.md:2: this marker has no block'],
    ['a file that is missing', document('<!-- snippet: code/none.ts -->'), 'doc.md:3: code/none.ts is not there'],
    [
      'a region that is missing',
      document('<!-- snippet: code/c.ts#no -->'),
      'doc.md:3: code/c.ts#no has no such region',
    ],
    ['a region that is open', document('<!-- snippet: code/b.ts#open -->'), 'doc.md:3: code/b.ts#open does not end'],
    [
      'a file that no test runs',
      document('<!-- snippet: code/idle.ts -->', 'export const idle = 1;'),
      'doc.md:3: code/idle.ts is run by no test',
    ],
  ])('reports %s', async (_title, text, message) => {
    await write('doc.md', text);
    const { code, said } = await sync(folder, '--check', 'doc.md');
    expect(code).toBe(1);
    expect(said).toContain(message);
    expect(await readFile(join(folder, 'doc.md'), 'utf8')).toBe(text);
  });

  it('writes blocks anew, also several and indented ones, and is then content', async () => {
    const text = `${document('<!-- snippet: code/c.ts -->')}\n1. <!-- not one -->\n\n   <!-- snippet: code/a.spec.ts#body -->\n   \`\`\`ts\n   old\n   \`\`\`\n\nEnd\n`;
    await write('doc.md', text);
    expect(await sync(folder, 'doc.md')).toEqual({ code: 0, said: 'doc.md: 2 blocks written anew' });
    const written = await readFile(join(folder, 'doc.md'), 'utf8');
    expect(written).toContain('```ts\nexport const c = 1;\n```');
    expect(written).toContain('   ```ts\n   const x = 1;\n\n     const y = 2;\n   ```\n\nEnd\n');
    expect(await sync(folder, '--check', 'doc.md')).toEqual({ code: 0, said: '' });
  });
});
