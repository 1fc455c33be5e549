// Runs stream.ts in a worker thread: worker.js <root> <key>
import { register } from 'node:module';

register('./typescript-loader.js', import.meta.url);
await import('./stream.ts');
