// Does with a storage what it is told, one line of JSON after the other, and says what came of each: obey.ts <root> [uid to become]
import { createInterface } from 'node:readline';
import { FileSystemStorage } from '../../../lib/backends/filesystem/index.js';

const [, , root = '', uid] = process.argv;
if (uid !== undefined) {
  process.setgid?.(Number(uid));
  process.setuid?.(Number(uid));
}
const storage = new FileSystemStorage({ root, durability: 'full' });

async function keysOf(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(prefix)) keys.push(key);
  return keys;
}

async function act(command: string, key: string, text: string): Promise<unknown> {
  switch (command) {
    case 'put':
      return (await storage.put(key, text, { metadata: { text } })).size;
    case 'get':
      return String(await storage.getBytes(key));
    case 'metadata':
      return (await storage.info(key)).metadata;
    case 'exists':
      return storage.exists(key);
    case 'delete':
      return storage.delete(key);
    case 'list':
      return keysOf(key);
    case 'check':
      return (await storage.check()).problems;
    case 'close':
      return storage.close();
    default:
      throw new Error(`There is no command ${command}.`);
  }
}

await storage.open();
console.log(JSON.stringify('ready'));
for await (const line of createInterface({ input: process.stdin })) {
  const [command = '', key = '', text = ''] = JSON.parse(line) as string[];
  try {
    console.log(JSON.stringify({ done: await act(command, key, text) }));
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    console.log(JSON.stringify({ code, message }));
  }
}
