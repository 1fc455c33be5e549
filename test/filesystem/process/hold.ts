// Dies inside a commit, with its lock held: hold.ts <root> <key> <step> [exclusive], where step is the call of the disk that never returns
// With the step `broken` it dies when it has broken the lock of a dead one, and before it does anything else.
import { Disk } from '../../../lib/backends/filesystem/disk.js';
import { FileSystemStorage } from '../../../lib/backends/filesystem/index.js';

const [, , root = '', key = '', step = '', exclusive] = process.argv;

/** Stops for ever at one call, and says so; what was called before has happened. */
class StoppingDisk extends Disk {
  #stopAt(call: string): Promise<never> | undefined {
    if (call !== step) return undefined;
    console.log('holding');
    setInterval(() => undefined, 1000);
    return new Promise(() => undefined);
  }

  override rename(from: string, to: string): Promise<void> {
    if (to.includes('/procs/')) return super.rename(from, to);
    return this.#stopAt('rename') ?? super.rename(from, to);
  }

  override link(from: string, to: string): Promise<void> {
    if (to.includes('/.storages/') && !to.includes('/over/')) return super.link(from, to);
    return this.#stopAt('link') ?? super.link(from, to);
  }

  override unlink(path: string): Promise<void> {
    if (path.includes('/attrs/')) return this.#stopAt('unlink-attributes') ?? super.unlink(path);
    if (path.includes('/locks/') && step === 'broken') {
      return super.unlink(path).then(() => this.#stopAt('broken'));
    }
    if (path.includes('/locks/')) return this.#stopAt('unlock') ?? super.unlink(path);
    return super.unlink(path);
  }
}

class StoppingStorage extends FileSystemStorage {
  protected override readonly _disk = new StoppingDisk();
}

const storage = new StoppingStorage({ root, durability: 'fast', exclusive: exclusive !== undefined });
await storage.put(key, 'new bytes', { metadata: { version: 'new' }, ...(step === 'link' ? { ifNoneMatch: '*' } : {}) });
