// Puts 256 MiB into a storage and says how late its loop was meanwhile: loop-writer.js <sqlite or files> <folder>
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { FileSystemStorage } from 'nestjs-storages';
import { SQLiteStorage } from 'nestjs-storages/sqlite';

const KIB = 1024;
const PIECE = Buffer.alloc(64 * KIB, 'piece ');
const [, , kind, folder = ''] = process.argv;

function stream(bytes: number): Readable {
  let left = bytes;
  return new Readable({
    highWaterMark: PIECE.length,
    read() {
      // memory of its own for each, as a socket gives it
      const piece = Buffer.allocUnsafeSlow(Math.min(left, PIECE.length));
      piece.set(PIECE.subarray(0, piece.length));
      left -= piece.length;
      this.push(piece.length > 0 ? piece : null);
    },
  });
}

const storage =
  kind === 'sqlite'
    ? new SQLiteStorage({ filename: join(folder, 'files.db') })
    : new FileSystemStorage({ root: join(folder, 'files') });
await storage.put('warm', stream(16 * KIB * KIB));
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
await storage.put('large', stream(256 * KIB * KIB));
delay.disable();
process.send?.({ p99: delay.percentile(99) / 1e6, longest: delay.max / 1e6 });
await storage.close();
process.disconnect();
