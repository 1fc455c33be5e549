// The public API as text, one report for each entry of package.json's `exports`, so that a change of it shows in a diff.
//
//   node test/package/api-report.js            writes docs/api/*.api.md anew, from the declarations in dist
//   node test/package/api-report.js --check    changes nothing; prints the difference where there is one, and ends with 1
//
// A new entry needs no line here. `npm run api:report` builds before it writes. Both end with 1 where a public type names one that no entry
// exports: nobody could write it down.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

const ROOT = new URL('..', new URL('..', import.meta.url)).pathname;
const REPORTS = 'docs/api';
const NONE = { logLevel: 'none' };

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const entries = Object.entries(manifest.exports).flatMap(([path, { types }]) =>
  types === undefined ? [] : [{ name: path === '.' ? 'index' : path.slice(2).replaceAll('/', '.'), types }],
);

/** Writes the report of one entry into the folder. Resolves to what its types name although the entry does not export it. */
function extract({ name, types }, folder) {
  const declarations = join(ROOT, types);
  if (!existsSync(declarations)) throw new Error(`${types} is not there: npm run build`);
  const notExported = new Set();
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(ROOT, 'package.json'),
    configObject: {
      projectFolder: ROOT,
      mainEntryPointFilePath: declarations,
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'ES2023',
            lib: ['ES2023', 'ESNext.Disposable'],
            module: 'nodenext',
            types: ['node'],
            strict: true,
            // .ci/consumers checks them, with each compiler
            skipLibCheck: true,
          },
          files: [declarations],
        },
      },
      apiReport: { enabled: true, reportFileName: `${name}.api.md`, reportFolder: folder, reportTempFolder: folder },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: { default: NONE, 'ae-forgotten-export': { logLevel: 'warning' } },
        tsdocMessageReporting: { default: NONE },
      },
    },
  });
  const { errorCount } = Extractor.invoke(config, {
    localBuild: true,
    messageCallback(message) {
      const symbol = message.messageId === 'ae-forgotten-export' && /symbol "(.+?)" needs/.exec(message.text)?.[1];
      if (symbol) notExported.add(symbol);
      message.handled = message.logLevel !== ExtractorLogLevel.Error;
    },
  });
  if (errorCount > 0) throw new Error(`the declarations of ${types} cannot be read`);
  return notExported;
}

function exportedBy(report) {
  const declared = report.matchAll(
    /^export (?:declare )?(?:abstract )?(?:class|const|function|interface|type|enum) (\w+)/gm,
  );
  return [...declared].map(([, name]) => name);
}

/** The reports by their file names. */
function extractAll() {
  const folder = mkdtempSync(join(tmpdir(), 'api-report-'));
  try {
    const found = entries.map((entry) => ({ ...entry, notExported: extract(entry, folder) }));
    const texts = found.map(({ name }) => readFileSync(join(folder, `${name}.api.md`), 'utf8'));
    const exported = new Set(texts.flatMap(exportedBy));
    return new Map(
      found.map(({ name, notExported }, index) => {
        // what another entry exports can be named by whoever needs it
        const hidden = [...notExported].filter((symbol) => !exported.has(symbol)).sort();
        if (hidden.length > 0)
          throw new Error(`The types of ${name} name what no entry exports: ${hidden.join(', ')}.`);
        return [`${name}.api.md`, texts[index].replace(/^\/\/ Warning: \(ae-forgotten-export\).*\n/gm, '')];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function write(reports) {
  rmSync(join(ROOT, REPORTS), { recursive: true, force: true });
  mkdirSync(join(ROOT, REPORTS));
  for (const [file, text] of reports) writeFileSync(join(ROOT, REPORTS, file), text);
  console.log(`${REPORTS}: ${[...reports.keys()].join(', ')}`);
}

function check(reports) {
  const committed = existsSync(join(ROOT, REPORTS)) ? readdirSync(join(ROOT, REPORTS)) : [];
  const stale = [...new Set([...reports.keys(), ...committed])].filter((file) => {
    const path = committed.includes(file) ? join(REPORTS, file) : '/dev/null';
    const labels = ['--label', `${path} as committed`, '--label', `${file} of the build`];
    const { status, stdout, stderr } = spawnSync('diff', ['-u', ...labels, path, '-'], {
      cwd: ROOT,
      input: reports.get(file) ?? '',
      encoding: 'utf8',
    });
    process.stdout.write(stdout);
    process.stderr.write(stderr ?? '');
    return status !== 0;
  });
  if (stale.length === 0) return console.log(`${reports.size} entries are as ${REPORTS} says`);
  console.error(`The public API is not what ${REPORTS} says (${stale.join(', ')}).`);
  console.error('If it is meant: npm run api:report, commit the reports, and note the change in docs/CHANGELOG.md.');
  process.exitCode = 1;
}

(process.argv.includes('--check') ? check : write)(extractAll());
