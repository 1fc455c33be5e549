/**
 * Run by `npm run bench -- [bench] [words]`: the bench is `upload` unless the first word names another one; the other words pick those
 * of its works that have one of them in their names.
 */
const BENCHES = new Map<string, () => Promise<{ readonly run: (words: readonly string[]) => Promise<void> }>>([
  ['upload', () => import('./upload/upload.bench.js')],
  ['download', () => import('./download/download.bench.js')],
  ['sqlite', () => import('./sqlite/sqlite.bench.js')],
  ['loop', () => import('./sqlite/loop.bench.js')],
  ['s3', () => import('./s3/s3.bench.js')],
  ['tracing', () => import('./tracing/tracing.bench.js')],
  ['load', () => import('./load.bench.js')],
  ['list', () => import('./list.bench.js')],
  ['durability', () => import('./durability.bench.js')],
]);

const [first = 'upload', ...others] = process.argv.slice(2);
const named = BENCHES.get(first);
const { run } = await (named ?? (() => import('./upload/upload.bench.js')))();
await run(named === undefined ? [first, ...others] : others);
