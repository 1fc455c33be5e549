// Puts an object that never ends, and says when its first bytes are on the disk: stream.ts <root> <key>
import { readdirSync, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { FileSystemStorage } from '../../../lib/backends/filesystem/index.js';

const [, , root = '', key = ''] = process.argv;
const storage = new FileSystemStorage({ root, durability: 'fast' });
setInterval(() => undefined, 1000); // lives until it is killed
const source = new Readable({
  read() {
    const folder = `${root}/.storages/tmp`;
    const written = readdirSync(folder).some(
      (name) => name.startsWith(`${process.pid}.`) && statSync(`${folder}/${name}`).size > 1_000_000,
    );
    if (written) console.log('writing');
    else this.push(Buffer.alloc(65_536, 1));
  },
});
await storage.put(key, source, { metadata: { of: 'a crash' } });
