// Raises the number in one object, by compare and swap: count.ts <filename> <key> <rounds> <lanes>
import { SQLiteStorage } from '../../../lib/backends/sqlite/index.js';

const [, , filename = '', key = '', rounds = '0', lanes = '1'] = process.argv;
const storage = new SQLiteStorage({ filename, durability: 'fast' });
await storage.open();
console.log('ready');
await new Promise((resolve) => process.stdin.once('data', resolve));

async function raise(): Promise<void> {
  for (;;) {
    const stream = await storage.get(key);
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    try {
      await storage.put(key, String(Number(text) + 1), { ifMatch: stream.file.etag });
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'PRECONDITION_FAILED') throw error;
    }
  }
}

await Promise.all(
  Array.from({ length: Number(lanes) }, async () => {
    for (let i = 0; i < Number(rounds); i++) await raise();
  }),
);
await storage.close();
console.log('done');
process.stdin.destroy();
