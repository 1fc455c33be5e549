// Runs the program of the database's threads from its sources.
import { register } from 'node:module';

register('./typescript-loader.js', import.meta.url);
await import('../../../lib/backends/sqlite/thread/worker.ts');
