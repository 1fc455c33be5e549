import { posix } from 'node:path';
import {
  EMPTY_NAMES,
  ISOLATED_PARTS,
  LAYERS,
  LONGER_FILES,
  MAX_LINES,
  OPTIONAL_PEERS,
  OWN_ENTRIES,
  PACKAGES,
  ROOT_ENTRY,
  ROOT_ENTRY_MAY_IMPORT,
} from './layers.js';
import type { ModuleImport, SourceModule } from './source-module.js';

/** The modules of lib by path, and the packages that an installation brings along (dependencies and required peers) or may (all peers). */
export interface Project {
  readonly modules: ReadonlyMap<string, SourceModule>;
  readonly installed: ReadonlySet<string>;
  readonly installable: ReadonlySet<string>;
}

/** Every sentence is one breach, and begins with the file. None: the architecture holds. */
export function checkArchitecture(project: Project): string[] {
  const modules = [...project.modules.values()];
  return [
    ...modules.flatMap((module) => [
      ...checkImports(module, project),
      ...checkLength(module),
      ...checkName(module),
      ...(module.awaitsAtTopLevel
        ? [`${module.path}: awaits at top level, so that require() of the package fails`]
        : []),
    ]),
    ...checkRootEntry(project),
    ...checkCycles(project),
  ];
}

function checkImports(module: SourceModule, project: Project): string[] {
  const layer = layerOf(module.path);
  if (module.path !== ROOT_ENTRY && !LAYERS.has(layer)) {
    return [`${module.path}: ${layer} has no place in the layers (test/architecture/layers.ts)`];
  }
  return module.imports.flatMap((imported) => {
    const target = resolve(module, imported);
    if (target === undefined) return checkPackage(module, imported, project);
    if (!project.modules.has(target)) return [`${module.path}: imports ${imported.specifier}, which is not in lib`];
    return checkArrow(module.path, target);
  });
}

function checkArrow(from: string, to: string): string[] {
  const [source, target] = [layerOf(from), layerOf(to)];
  const allowed = from === ROOT_ENTRY ? ROOT_ENTRY_MAY_IMPORT : [source, ...(LAYERS.get(source) ?? [])];
  if (!allowed.includes(target)) return [`${from}: ${source} imports ${target} (${to})`];
  if (source === target && ISOLATED_PARTS.includes(source) && partOf(from) !== partOf(to) && !isBarrel(from)) {
    return [`${from}: imports another one of the ${source} (${to})`];
  }
  return [];
}

function checkPackage(module: SourceModule, imported: ModuleImport, project: Project): string[] {
  const { specifier } = imported;
  if (specifier.startsWith('node:')) return [];
  const name = packageOf(specifier);
  const limited = PACKAGES.get(layerOf(module.path));
  if (limited !== undefined && !limited.includes(name)) {
    return [`${module.path}: ${layerOf(module.path)} imports the package ${specifier}`];
  }
  if (project.installable.has(name)) return [];
  return [`${module.path}: imports ${specifier}, which package.json does not let a consumer install`];
}

function checkLength({ path, lines }: SourceModule): string[] {
  const limit = LONGER_FILES.get(path) ?? MAX_LINES;
  return lines > limit ? [`${path}: has ${lines} lines, more than ${limit}`] : [];
}

function checkName({ path }: SourceModule): string[] {
  const empty = path.split('/').find((part) => EMPTY_NAMES.test(part));
  return empty === undefined ? [] : [`${path}: ${empty} does not say what it holds`];
}

/** The root entry is loaded by everybody: what it loads must be there wherever the package is installed. */
function checkRootEntry({ modules, installed }: Project): string[] {
  if (!modules.has(ROOT_ENTRY)) return [`${ROOT_ENTRY}: is missing`];
  const breaches: string[] = [];
  const trails = new Map([[ROOT_ENTRY, ROOT_ENTRY]]);
  for (const [path, trail] of trails) {
    const module = modules.get(path);
    if (module === undefined) continue;
    if (OWN_ENTRIES.includes(layerOf(path))) breaches.push(`${path}: the root entry loads it (${trail})`);
    for (const imported of module.imports) {
      // types count: their declarations are read wherever the root entry's are
      if (imported.kind === 'dynamic') continue;
      const target = resolve(module, imported);
      if (target !== undefined) {
        if (!trails.has(target)) trails.set(target, `${trail} -> ${target}`);
      } else if (!imported.specifier.startsWith('node:') && !isAlwaysThere(imported.specifier, installed)) {
        breaches.push(`${path}: the root entry loads ${imported.specifier}, which is optional (${trail})`);
      }
    }
  }
  return breaches;
}

/** Modules that load each other: which of them finds the other unfinished depends on where loading begins. */
function checkCycles({ modules }: Project): string[] {
  const finished = new Set<string>();
  const breaches: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      const cycle = trail.slice(trail.indexOf(path));
      breaches.push(`${path}: loads itself (${[...cycle, path].join(' -> ')})`);
      return;
    }
    const module = modules.get(path);
    if (module === undefined || finished.has(path)) return;
    for (const imported of module.imports) {
      const target = imported.kind === 'static' ? resolve(module, imported) : undefined;
      if (target !== undefined) visit(target, [...trail, path]);
    }
    finished.add(path);
  };
  for (const path of modules.keys()) visit(path, []);
  return breaches;
}

function isAlwaysThere(specifier: string, installed: ReadonlySet<string>): boolean {
  const name = packageOf(specifier);
  return installed.has(name) && !OPTIONAL_PEERS.some((peer) => peer.test(name));
}

/** The file in lib that a relative import leads to; `undefined` for a package. */
function resolve(module: SourceModule, { specifier }: ModuleImport): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(posix.dirname(module.path), specifier).replace(/\.js$/, '.ts');
}

function layerOf(path: string): string {
  return path.split('/', 1)[0] ?? path;
}

function partOf(path: string): string | undefined {
  return path.split('/')[1];
}

/** The barrel of a folder shows all its parts. */
function isBarrel(path: string): boolean {
  return path.split('/').length === 2 && path.endsWith('/index.ts');
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
