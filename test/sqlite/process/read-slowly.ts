// Reads the first bytes of an object, and the rest when it is told: read-slowly.ts <filename> <key>. Says the rest's SHA-256.
import { createHash } from 'node:crypto';
import { SQLiteStorage } from '../../../lib/backends/sqlite/index.js';

const [, , filename = '', key = ''] = process.argv;
const storage = new SQLiteStorage({ filename, durability: 'fast' });
const stream = await storage.get(key);
const hash = createHash('sha256');
let told = false;
for await (const chunk of stream as AsyncIterable<Buffer>) {
  hash.update(chunk);
  if (told) continue;
  told = true;
  console.log('reading');
  await new Promise((resolve) => process.stdin.once('data', resolve));
}
console.log(hash.digest('hex'));
await new Promise((resolve) => process.stdin.once('data', resolve));
await storage.close();
process.stdin.destroy();
