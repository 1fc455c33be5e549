// Writes a stream of so many MiB and says how late its event loop was meanwhile: loop-delay.ts <sqlite or files> <folder> <MiB>
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { FileSystemStorage } from '../../../lib/backends/filesystem/index.js';
import { SQLiteStorage } from '../../../lib/backends/sqlite/index.js';
import { OwnDelay } from './own-delay.js';

const [, , kind = '', folder = '', mebibytes = '0'] = process.argv;
const MIB = 1024 * 1024;
const total = Number(mebibytes) * MIB;
const filename = `${folder}/files.db`;
const storage =
  kind === 'sqlite' ? new SQLiteStorage({ filename }) : new FileSystemStorage({ root: `${folder}/files` });

function source(bytes: number, hash: { update(bytes: Buffer): unknown } | undefined): Readable {
  let left = bytes;
  let count = 0;
  return new Readable({
    highWaterMark: 65_536,
    read() {
      const piece = Buffer.allocUnsafeSlow(Math.min(left, 65_536)).fill(count++ & 0xff);
      left -= piece.length;
      hash?.update(piece);
      this.push(piece.length > 0 ? piece : null);
    },
  });
}

await storage.put('warm', source(16 * MIB, undefined));
let peak = process.memoryUsage.rss();
const before = peak;
let longestLog = 0;
const sampling = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
  if (kind === 'sqlite') longestLog = Math.max(longestLog, statSync(`${filename}-wal`).size);
}, 20);
const hashing = process.env['HASH'] === '1';
const given = createHash('sha256');
const delay = new OwnDelay();
const begun = performance.now();
await storage.put('a', source(total, hashing ? given : undefined));
const putSeconds = (performance.now() - begun) / 1000;
const { p99, longest } = delay.end();
const got = createHash('sha256');
let size = 0;
for await (const chunk of (await storage.get('a')) as AsyncIterable<Buffer>) {
  size += chunk.length;
  if (hashing) got.update(chunk);
}
clearInterval(sampling);
console.log(
  JSON.stringify({
    p99,
    longest,
    putSeconds,
    seconds: (performance.now() - begun) / 1000,
    peakMiB: (peak - before) / MIB,
    logMiB: longestLog / MIB,
    same: size === total && (!hashing || given.digest('hex') === got.digest('hex')),
  }),
);
await storage.close();
