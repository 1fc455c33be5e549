import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Project } from './check-architecture.js';
import { parseModule } from './source-module.js';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export const LIB = fileURLToPath(new URL('../../lib', import.meta.url));
const MANIFEST = fileURLToPath(new URL('../../package.json', import.meta.url));

/** lib as it lies on the disk. */
export function readProject(): Project {
  const sources = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  return projectOf(
    new Map(sources.map((path) => [path.split(sep).join('/'), readFileSync(join(LIB, path), 'utf8')])),
    JSON.parse(readFileSync(MANIFEST, 'utf8')) as Manifest,
  );
}

/** A project from the texts of its files. */
export function projectOf(sources: ReadonlyMap<string, string>, manifest: Manifest): Project {
  const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifest;
  const peers = Object.keys(peerDependencies);
  const required = peers.filter((name) => peerDependenciesMeta[name]?.optional !== true);
  return {
    modules: new Map([...sources].map(([path, text]) => [path, parseModule(path, text)])),
    installed: new Set([...Object.keys(dependencies), ...required]),
    installable: new Set([...Object.keys(dependencies), ...peers]),
  };
}
