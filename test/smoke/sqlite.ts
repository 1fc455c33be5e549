/** What a stranger does with `nestjs-storages/sqlite` of the installed package, whose threads run a program that lies in it. `.ci/smoke` runs it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQLiteStorage } from 'nestjs-storages/sqlite';

async function withPackage(filename: string): Promise<void> {
  const storage = new SQLiteStorage({ filename });
  await storage.put('small', 'a');
  await storage.put('large', Buffer.alloc(1_000_000, 'b'));
  let bytes = 0;
  for await (const chunk of await storage.get('large')) bytes += (chunk as Buffer).length;
  assert.equal(bytes, 1_000_000);
  assert.equal(String(await storage.getBytes('small')), 'a');
  await storage.close();
  console.log('put, read, closed');
}

async function withoutPackage(filename: string): Promise<void> {
  await assert.rejects(new SQLiteStorage({ filename }).exists('a'), {
    code: 'INVALID_CONFIGURATION',
    message: /better-sqlite3.*npm install better-sqlite3/s,
  });
  console.log('named the package that is missing');
}

const folder = mkdtempSync(join(tmpdir(), 'smoke-'));
const without = process.argv.includes('without');
(without ? withoutPackage : withPackage)(join(folder, 'files.db'))
  .finally(() => {
    rmSync(folder, { recursive: true });
  })
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
