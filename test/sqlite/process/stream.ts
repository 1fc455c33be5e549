// Puts an object that never ends, and says when chunks of it are in the database: stream.ts <filename> <key>
import { Readable } from 'node:stream';
import { SQLiteStorage } from '../../../lib/backends/sqlite/index.js';

const [, , filename = '', key = ''] = process.argv;
const storage = new SQLiteStorage({ filename, durability: 'fast', chunkSize: 65_536 });
setInterval(() => undefined, 1000); // lives until it is killed
let given = 0;
const source = new Readable({
  read() {
    // more than it may hold: what it has taken beyond that is in the database
    given += 65_536;
    if (given === 2_097_152) console.log('writing');
    if (given <= 2_097_152) this.push(Buffer.alloc(65_536, 1));
  },
});
await storage.put(key, source, { metadata: { of: 'a crash' } });
