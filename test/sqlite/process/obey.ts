// Does what it is told with one storage, and says how that ended: obey.ts <filename>. Lines of `put <body>`, `get` and `close`, after which it opens again.
import { createInterface } from 'node:readline';
import { SQLiteStorage } from '../../../lib/backends/sqlite/index.js';

const [, , filename = ''] = process.argv;
const storage = new SQLiteStorage({ filename });

async function act(line: string): Promise<string> {
  const [command, body = ''] = line.split(' ');
  if (command === 'close') {
    await storage.close();
    return '';
  }
  await storage.open();
  if (command === 'get') return String(await storage.getBytes('key'));
  await storage.put('key', body, { metadata: { body } });
  return body;
}

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify({ body: await act(line) }));
  } catch (error) {
    const { code, message, retryable } = error as { code?: unknown; message?: unknown; retryable?: unknown };
    console.log(JSON.stringify({ code, message, retryable }));
  }
}
