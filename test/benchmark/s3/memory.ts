/**
 * One large upload in a process of its own, which has made a small one before: what memory the large one takes beyond that. In a process that has made
 * large ones before it would take what those have left. Its parent is told the bytes.
 */
import { S3Storage } from 'nestjs-storages/s3';
import { measure } from '../sqlite/measure.js';
import { LARGE, largeSettings, SMALL, stream } from './settings.js';

const [port = '', integrity = ''] = process.argv.slice(2);
const storage = new S3Storage(largeSettings(Number(port), integrity === 'none' ? 'none' : 'crc32'));
await storage.put('small', SMALL);
const { peakMemory } = await measure(() => storage.put('large', stream(LARGE)));
process.send?.({ peakMemory });
process.disconnect();
