import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { parseModule } from '../architecture/source-module.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Entry {
  readonly types: string;
  readonly default: string;
}

interface Manifest {
  readonly exports: Readonly<Record<string, Entry>>;
  readonly types: string;
  readonly typesVersions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** The optional packages that the types of an entry need: its own in the README's table, and none that only some calls load. */
const OPTIONAL_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  './opentelemetry': ['@opentelemetry/api'],
  './s3': ['@aws-sdk/client-s3'],
  './terminus': ['@nestjs/terminus'],
};

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
const entries = Object.entries(manifest.exports).filter(([path]) => path !== './package.json');

describe('package.json', () => {
  it.each(entries)('%s leads to a module of lib and its declarations, for import and require alike', (_path, entry) => {
    // `types` has to come first and `default` last: conditions are tried in their order. An `import` alone would shut require() out.
    expect(Object.keys(entry)).toEqual(['types', 'default']);
    expect(entry.types.replace(/\.d\.ts$/, '')).toBe(entry.default.replace(/\.js$/, ''));
    expect(existsSync(join(ROOT, entry.default.replace('./dist/', 'lib/').replace(/\.js$/, '.ts')))).toBe(true);
  });

  it('says the same to those who resolve types as Node 10 did', () => {
    const subPaths = entries.filter(([path]) => path !== '.');
    expect(manifest.typesVersions).toEqual({
      '*': Object.fromEntries(subPaths.map(([path, entry]) => [path.slice(2), [entry.types]])),
    });
    expect(manifest.types).toBe(manifest.exports['.']?.types);
  });

  it('publishes the build and the pages only', () => {
    expect(manifest.files).toEqual(['dist', 'docs/**/*.md']);
  });

  it('lets the application choose its Nest', () => {
    expect(Object.keys(manifest.dependencies).filter((name) => name in manifest.peerDependencies)).toEqual([]);
    expect(Object.keys(manifest.dependencies).filter((name) => name.startsWith('@nestjs/'))).toEqual([]);
  });
});

describe('the published declarations', () => {
  let declarations: ReadonlyMap<string, string>;

  beforeAll(() => {
    declarations = emitDeclarations(join(ROOT, 'lib/tsconfig.lib.json'));
  }, 120_000); // the compiler reads all of lib

  it('are there for every entry', () => {
    const names = [...declarations.keys()];
    for (const [, entry] of entries) {
      expect(names).toContain(join(ROOT, entry.types));
    }
  });

  it('need no types that only we have installed', () => {
    const needed = [...declarations].flatMap(([path, text]) =>
      [...parseModule(path, text).imports.map(({ specifier }) => specifier), ...typeReferences(text)]
        .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:') && !bringsTypes(specifier))
        .map((specifier) => `${path.slice(ROOT.length)} needs ${specifier}`),
    );
    expect(needed).toEqual([]);
  });

  it.each(entries)('of %s need no optional package but its own', (path, entry) => {
    const needed = [...reachable(declarations, join(ROOT, entry.types))]
      .map(packageOf)
      .filter((name) => manifest.peerDependenciesMeta[name]?.optional === true);
    expect([...new Set(needed)]).toEqual(OPTIONAL_PACKAGES[path] ?? []);
  });
});

/** Whatever is imported, from other packages and within this one, by a declaration and by those that it leads to. */
function reachable(declarations: ReadonlyMap<string, string>, from: string): ReadonlySet<string> {
  const specifiers = new Set<string>();
  const paths = new Set([from]);
  for (const path of paths) {
    for (const { specifier } of parseModule(path, declarations.get(path) ?? '').imports) {
      if (specifier.startsWith('.')) paths.add(join(path, '..', specifier.replace(/\.js$/, '.d.ts')));
      else specifiers.add(specifier);
    }
  }
  return specifiers;
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** What `npm run build` writes into dist, but in memory. */
function emitDeclarations(config: string): ReadonlyMap<string, string> {
  const { config: raw } = ts.readConfigFile(config, (path) => ts.sys.readFile(path)) as { config: unknown };
  const { options, fileNames } = ts.parseJsonConfigFileContent(raw, ts.sys, join(config, '..'), undefined, config);
  const declarations = new Map<string, string>();
  ts.createProgram(fileNames, options).emit(undefined, (path, text) => declarations.set(path, text), undefined, true);
  return declarations;
}

function typeReferences(text: string): string[] {
  return ts.preProcessFile(text).typeReferenceDirectives.map(({ fileName }) => fileName);
}

/** Whether whoever installs the library has the package, and finds its types in it rather than in `@types`. */
function bringsTypes(specifier: string): boolean {
  const { resolvedModule } = ts.resolveModuleName(
    specifier,
    join(ROOT, 'lib/index.ts'),
    { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
    ts.sys,
    undefined,
    undefined,
    ts.ModuleKind.ESNext,
  );
  const name = resolvedModule?.packageId?.name ?? '';
  return name in manifest.dependencies || name in manifest.peerDependencies;
}
