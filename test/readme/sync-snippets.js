// Holds the code blocks of the documentation to files that are compiled and run.
//
//   node test/readme/sync-snippets.js README.md            writes the blocks anew from the files
//   node test/readme/sync-snippets.js --check README.md    changes nothing; says what is wrong, and ends with 1
//
// A block of TypeScript has the marker of its region before it; paths are those from the folder in which the script is started:
//
//   <!-- snippet: test/readme/register.spec.ts#forRoot -->
//   ```ts
//   ```
//
// The region lies between `// #region forRoot` and `// #endregion` in that file, and loses its common indent. Regions may lie within
// one another; inner marks are left out. Without `#` and a name it is the whole file.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';

const MARKER = /^\s*<!--\s*snippet:\s*(?<file>[^\s#]+)(?:#(?<region>\S+))?\s*-->\s*$/;
const FENCE = /^(?<indent>\s*)(?<ticks>`{3,}|~{3,})\s*(?<language>[^\s`]*)/;
const TYPESCRIPT = new Set(['ts', 'typescript', 'mts', 'cts', 'tsx']);
const REGION = /^\s*\/\/\s*#region\s+(?<name>\S+)\s*$/;
const END_OF_REGION = /^\s*\/\/\s*#endregion\b/;
const OWN_IMPORT = /\b(?:from|import)\s*\(?\s*'\.\/(?<name>[^'/]+)\.js'/g;

// ---------------------------------------------------------------------------------------------------------- documents

/**
 * The markers and fenced blocks of a document, in their order. Line numbers begin with 0; a block's `end` is its closing fence.
 */
function* readBlocks(lines) {
  for (let start = 0; start < lines.length; start++) {
    const marker = MARKER.exec(lines[start])?.groups;
    if (marker !== undefined) yield { kind: 'marker', start, ...marker };
    const fence = FENCE.exec(lines[start])?.groups;
    if (fence === undefined) continue;
    const length = lines.slice(start + 1).findIndex((line) => line.trim() === fence.ticks);
    if (length === -1) throw new Error(`The block in line ${start + 1} does not end.`);
    const end = start + 1 + length;
    yield { kind: TYPESCRIPT.has(fence.language) ? 'snippet' : 'other', start, end, indent: fence.indent };
    start = end;
  }
}

/** Pairs each block of TypeScript with its marker, and tells those that have no partner. */
function pairBlocks(lines) {
  const pairs = [];
  const lonely = [];
  let marker;
  const endOf = (block) => block.end ?? block.start;
  for (const block of readBlocks(lines)) {
    // between a marker and its block there may be empty lines, which Prettier adds
    const adjoins =
      marker !== undefined && lines.slice(endOf(marker) + 1, block.start).every((line) => line.trim() === '');
    if (block.kind === 'snippet' && adjoins) pairs.push({ marker, block });
    else if (block.kind === 'snippet')
      lonely.push({ line: block.start, message: 'this block has no marker, so no test runs it' });
    if (marker !== undefined && !(block.kind === 'snippet' && adjoins)) lonely.push(withoutBlock(marker));
    marker = block.kind === 'marker' ? block : undefined;
  }
  if (marker !== undefined) lonely.push(withoutBlock(marker));
  return { pairs, lonely };
}

function withoutBlock(marker) {
  return { line: marker.start, message: 'this marker has no block of TypeScript after it' };
}

// -------------------------------------------------------------------------------------------------------------- files

function readSnippet({ file, region }) {
  if (!existsSync(file)) throw new Error('is not there');
  if (!filesThatTestsRun(posix.dirname(file)).has(posix.basename(file))) throw new Error('is run by no test beside it');
  const lines = readFileSync(file, 'utf8').replace(/\n$/, '').split('\n');
  return dedent(region === undefined ? withoutMarks(lines) : readRegion(lines, region));
}

function readRegion(lines, name) {
  const starts = lines.flatMap((line, index) => (REGION.exec(line)?.groups.name === name ? [index + 1] : []));
  if (starts.length !== 1) throw new Error(starts.length === 0 ? 'has no such region' : 'has this region twice');
  let depth = 1;
  for (let index = starts[0]; index < lines.length; index++) {
    if (REGION.test(lines[index])) depth++;
    if (END_OF_REGION.test(lines[index])) depth--;
    if (depth === 0) return withoutMarks(lines.slice(starts[0], index));
  }
  throw new Error('does not end this region');
}

function withoutMarks(lines) {
  return lines.filter((line) => !REGION.test(line) && !END_OF_REGION.test(line));
}

function dedent(lines) {
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/));
  const indent = indents.length === 0 ? 0 : Math.min(...indents);
  return lines.map((line) => line.slice(indent).trimEnd());
}

/** The tests of a folder, and what they import from it, directly or not. */
function filesThatTestsRun(folder) {
  const run = new Set(readdirSync(folder).filter((name) => name.endsWith('.spec.ts')));
  for (const name of run) {
    for (const { groups } of readFileSync(posix.join(folder, name), 'utf8').matchAll(OWN_IMPORT)) {
      if (existsSync(posix.join(folder, `${groups.name}.ts`))) run.add(`${groups.name}.ts`);
    }
  }
  return run;
}

// --------------------------------------------------------------------------------------------------------------- both

/** The document as its files say it, what no rewriting mends (`broken`), and what it does (`stale`). */
function syncDocument(document, text) {
  const lines = text.split('\n');
  const { pairs, lonely } = pairBlocks(lines);
  const broken = lonely.map(({ line, message }) => `${document}:${line + 1}: ${message}`);
  const stale = [];
  const rewritten = [];
  let copied = 0;
  for (const { marker, block } of pairs) {
    const source = marker.region === undefined ? marker.file : `${marker.file}#${marker.region}`;
    try {
      const snippet = readSnippet(marker).map((line) => (line === '' ? '' : block.indent + line));
      if (snippet.join('\n') === lines.slice(block.start + 1, block.end).join('\n')) continue;
      stale.push(`${document}:${block.start + 1}: differs from ${source}; \`npm run docs:sync\` mends it`);
      rewritten.push(...lines.slice(copied, block.start + 1), ...snippet);
      copied = block.end;
    } catch (error) {
      broken.push(`${document}:${marker.start + 1}: ${source} ${error.message}`);
    }
  }
  return { text: [...rewritten, ...lines.slice(copied)].join('\n'), broken, stale };
}

const [check, documents] = [
  process.argv.includes('--check'),
  process.argv.slice(2).filter((argument) => argument !== '--check'),
];
if (documents.length === 0) throw new Error('Name the documents, as in: sync-snippets.js [--check] README.md');
for (const document of documents) {
  const before = readFileSync(document, 'utf8');
  const { text, broken, stale } = syncDocument(document, before);
  for (const message of check ? [...broken, ...stale] : broken) {
    console.error(message);
    process.exitCode = 1;
  }
  if (!check && text !== before) {
    writeFileSync(document, text);
    console.log(`${document}: ${stale.length} blocks written anew`);
  }
}
