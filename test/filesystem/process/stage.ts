// Stages an object under a fresh key and waits to be killed, or with `linked` commits it up to its link: stage.ts <root> <key> [linked]
import { Disk } from '../../../lib/backends/filesystem/disk.js';
import { FileSystemStorage } from '../../../lib/backends/filesystem/index.js';
import { freshKey } from '../../../lib/contract/index.js';

const [, , root = '', key = '', linked] = process.argv;

/** Never takes the temporary away. */
class StoppingDisk extends Disk {
  override unlink(path: string): Promise<void> {
    if (linked === undefined || !path.includes('/tmp/') || path.endsWith('.probe')) return super.unlink(path);
    console.log('linked');
    return new Promise(() => undefined);
  }
}

class StoppingStorage extends FileSystemStorage {
  protected override readonly _disk = new StoppingDisk();
}

setInterval(() => undefined, 1000); // lives until it is killed
const staged = await new StoppingStorage({ root, durability: 'fast' }).stage(key, 'bytes', { [freshKey]: true });
if (linked === undefined) console.log('staged');
else await staged.commit();
