import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What the entry needs besides the SDK, and the loader that takes the types off. */
const PACKAGES = ['mime-types', 'mime-db', '@swc/core', '@swc/counter', '@swc/types'];

/** Runs a program in a copy of the sources that finds nothing of the SDK but what is given. */
async function runWith(packages: readonly string[], program: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-storages-s3-'));
  try {
    await cp(join(ROOT, 'lib'), join(folder, 'lib'), { recursive: true });
    for (const name of ['register.js', 'typescript-loader.js']) {
      await cp(join(ROOT, 'test/sqlite/process', name), join(folder, name));
    }
    for (const name of [...PACKAGES, ...packages]) {
      await mkdir(dirname(join(folder, 'node_modules', name)), { recursive: true });
      await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
    }
    await writeFile(join(folder, 'package.json'), await readFile(join(ROOT, 'package.json')));
    await writeFile(join(folder, 'program.ts'), program);
    const child = spawn(process.execPath, ['--no-warnings', '--import', './register.js', 'program.ts'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    for await (const chunk of child.stdout) output += String(chunk);
    return output.trim();
  } finally {
    await rm(folder, { recursive: true });
  }
}

const program = (call: string): string => `
  import { S3Storage } from './lib/backends/s3/index.js';
  const storage = new S3Storage({
    bucket: 'b', endpoint: 'http://127.0.0.1:1', credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    conditions: { createOnly: false, multipart: false, compareAndSwap: false },
  });
  await storage.${call}.catch(({ code, message }) => console.log(code + ': ' + message));
`;

describe('A package that S3Storage needs', () => {
  it.each([
    [[], "put('a', 'a')", 'S3Storage needs the package @aws-sdk/client-s3: npm install @aws-sdk/client-s3'],
    [
      ['@aws-sdk/client-s3'],
      "url('a')",
      'S3Storage signs its URLs with the package @aws-sdk/s3-request-presigner: npm install @aws-sdk/s3-request-presigner',
    ],
    [
      ['@aws-sdk/client-s3'],
      "uploadUrl('a', { expiresIn: 60, maxSize: 1 })",
      'S3Storage signs upload URLs with a maxSize with the package @aws-sdk/s3-presigned-post: npm install @aws-sdk/s3-presigned-post',
    ],
  ])('is named, with the command to install it, where it is missing (with %j: %s)', async (packages, call, message) => {
    expect(await runWith(packages, program(call))).toBe(`INVALID_CONFIGURATION: ${message}`);
  });
});
