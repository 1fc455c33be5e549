// Puts objects without an end, a few at once, and says what is stored: upload.ts <configuration of S3Storage as JSON>
// `begin <key>`, then `stored <key>` when the put is acknowledged, or `failed <key> <code>`.
import { Readable } from 'node:stream';
import { S3Storage, type S3StorageConfig } from '../../../lib/backends/s3/index.js';
import { bodyOf } from './testimony.js';

const MIB = 1024 * 1024;
/** Of the objects of each lane: in one request, and in parts. */
const LANES = [1000, 300_000, 6 * MIB, 11 * MIB];

const [, , config = '{}'] = process.argv;
const storage = new S3Storage(JSON.parse(config) as S3StorageConfig);

function source(key: string): Readable {
  const body = bodyOf(key);
  let from = 0;
  return new Readable({
    read() {
      const chunk = body.subarray(from, from + 65_536);
      from += chunk.length;
      this.push(chunk.length === 0 ? null : chunk);
    },
  });
}

async function lane(number: number, size: number): Promise<never> {
  for (let n = 0; ; n++) {
    const key = `${number}/${n}-${size}`;
    console.log(`begin ${key}`);
    try {
      await storage.put(key, source(key));
      console.log(`stored ${key}`);
    } catch (error) {
      console.log(`failed ${key} ${String((error as { code?: unknown }).code)}`);
    }
  }
}

await storage.open();
// one that waits for its commit for ever: there is always an upload to be left
await storage.stage('staged', source(`staged/0-${6 * MIB}`));
console.log('ready');
await Promise.all(LANES.map((size, number) => lane(number, size)));
