import { describe, expect, it } from '@jest/globals';
import { checkArchitecture } from './check-architecture.js';
import { projectOf, readProject } from './read-project.js';
import { parseModule } from './source-module.js';

describe('lib', () => {
  const project = readProject();

  it('is read as a whole', () => {
    expect(project.modules.size).toBeGreaterThan(20);
    expect(project.modules.get('index.ts')?.imports).toContainEqual({
      specifier: './contract/index.js',
      kind: 'static',
    });
  });

  it('keeps the arrows of the design', () => {
    expect(checkArchitecture(project)).toEqual([]);
  });
});

describe('the check of the arrows', () => {
  const manifest = {
    dependencies: { busboy: '*', 'mime-types': '*' },
    peerDependencies: { '@nestjs/common': '*', 'better-sqlite3': '*', '@aws-sdk/client-s3': '*' },
    peerDependenciesMeta: { 'better-sqlite3': { optional: true }, '@aws-sdk/client-s3': { optional: true } },
  };
  const sound = {
    'index.ts': `export * from './contract/index.js'; export * from './backends/memory/index.js';`,
    'contract/index.ts': `import { Readable } from 'node:stream'; import { lookup } from 'mime-types'; export const x = lookup;`,
    'backends/memory/index.ts': `export { x } from '../../contract/index.js';`,
    'backends/sqlite/index.ts': `import Database from 'better-sqlite3'; export { x } from '../../contract/index.js';`,
    'registry/index.ts': `export const token = 1;`,
    'upload/index.ts': `import busboy from 'busboy'; import { token } from '../registry/index.js';`,
    'module/index.ts': `import { Module } from '@nestjs/common'; export * from '../upload/index.js';`,
    'testing/index.ts': `export { x } from '../backends/memory/index.js';`,
  };
  const breachesOf = (changed: Readonly<Record<string, string>>): string[] =>
    checkArchitecture(projectOf(new Map(Object.entries({ ...sound, ...changed })), manifest));

  it('passes a sound tree', () => {
    expect(breachesOf({})).toEqual([]);
  });

  it.each([
    [
      'a contract that knows Nest',
      { 'contract/a.ts': `import type { Type } from '@nestjs/common';` },
      'contract/a.ts: contract imports the package @nestjs/common',
    ],
    [
      'a contract that knows a backend',
      { 'contract/a.ts': `export * from '../backends/memory/index.js';` },
      'contract/a.ts: contract imports backends (backends/memory/index.ts)',
    ],
    [
      'an import upwards by type only',
      { 'upload/a.ts': `type M = import('../module/index.js').M;` },
      'upload/a.ts: upload imports module (module/index.ts)',
    ],
    [
      'an import upwards when a line runs',
      { 'upload/a.ts': `export const load = () => import('../module/index.js');` },
      'upload/a.ts: upload imports module (module/index.ts)',
    ],
    [
      'a backend that imports another',
      { 'backends/memory/a.ts': `export * from '../sqlite/index.js';` },
      'backends/memory/a.ts: imports another one of the backends (backends/sqlite/index.ts)',
    ],
    [
      'an import of testing',
      { 'module/a.ts': `export * from '../testing/index.js';` },
      'module/a.ts: module imports testing (testing/index.ts)',
    ],
    [
      'testing that needs the module',
      { 'testing/a.ts': `export * from '../module/index.js';` },
      'testing/a.ts: testing imports module (module/index.ts)',
    ],
    [
      'a folder without a place',
      { 'things/a.ts': `export const a = 1;` },
      'things/a.ts: things has no place in the layers (test/architecture/layers.ts)',
    ],
    [
      'a package that only developers have',
      { 'upload/a.ts': `import ts from 'typescript';` },
      'upload/a.ts: imports typescript, which package.json does not let a consumer install',
    ],
    [
      'a package whose name is computed',
      { 'upload/a.ts': `export const load = (name: string) => import(name);` },
      'upload/a.ts: imports name, which package.json does not let a consumer install',
    ],
    [
      'a root entry that loads an optional peer, by whatever way',
      {
        'index.ts': `export * from './module/index.js';`,
        'module/index.ts': `export * from '../backends/sqlite/index.js';`,
      },
      'backends/sqlite/index.ts: the root entry loads better-sqlite3, which is optional ' +
        '(index.ts -> module/index.ts -> backends/sqlite/index.ts)',
    ],
    [
      'a root entry that needs the types of an optional peer',
      {
        'upload/index.ts': `import type { S3Client } from '@aws-sdk/client-s3';`,
        'index.ts': `import './upload/index.js';`,
      },
      'upload/index.ts: the root entry loads @aws-sdk/client-s3, which is optional (index.ts -> upload/index.ts)',
    ],
    [
      'a wait at top level',
      { 'module/a.ts': `const a = await Promise.resolve(1);` },
      'module/a.ts: awaits at top level, so that require() of the package fails',
    ],
    [
      'a name that says nothing',
      { 'upload/helpers.ts': `export const a = 1;` },
      'upload/helpers.ts: helpers.ts does not say what it holds',
    ],
    [
      'a file too long for one sitting',
      { 'upload/a.ts': 'export {};\n'.repeat(401) },
      'upload/a.ts: has 401 lines, more than 400',
    ],
    [
      'modules that load each other',
      {
        'upload/a.ts': `import { b } from './b.js';`,
        'upload/b.ts': `export * from './c.js'; import type { A } from './a.js';`,
        'upload/c.ts': `import './b.js';`,
      },
      'upload/b.ts: loads itself (upload/b.ts -> upload/c.ts -> upload/b.ts)',
    ],
    [
      'an import that leads nowhere',
      { 'upload/a.ts': `import '../../test/a.js';` },
      'upload/a.ts: imports ../../test/a.js, which is not in lib',
    ],
  ])('reports %s, and nothing else', (_title, changed, breach) => {
    expect(breachesOf(changed)).toEqual([breach]);
  });

  it('lets an optional peer load when it is asked for', () => {
    expect(breachesOf({ 'index.ts': `export const open = () => import('./backends/sqlite/index.js');` })).toEqual([]);
  });
});

describe('the reading of a module', () => {
  it.each([
    [`import a from 'x';`, 'static'],
    [`import 'x';`, 'static'],
    [`import { a, type B } from 'x';`, 'static'],
    [`import {} from 'x';`, 'static'],
    [`export * from 'x';`, 'static'],
    [`import a = require('x');`, 'static'],
    [`import type { A } from 'x';`, 'type'],
    [`import { type A, type B } from 'x';`, 'type'],
    [`export type { A } from 'x';`, 'type'],
    [`let a: import('x').A;`, 'type'],
    [`let a: typeof import('x');`, 'type'],
    [`async function f() { await import('x'); }`, 'dynamic'],
    [`const a = () => require('x');`, 'dynamic'],
  ])('%s is %s', (text, kind) => {
    expect(parseModule('a.ts', text).imports).toEqual([{ specifier: 'x', kind }]);
  });

  it.each([
    ['await f();', true],
    ['for await (const a of b) f(a);', true],
    ['await using a = f();', true],
    ['if (a) { const b = await c; }', true],
    ['class A extends (await f()) {}', true],
    ['const f = async () => { await g(); for await (const a of b) c(a); };', false],
    ['class A { async f() { await g(); await using a = h(); } }', false],
    ['using a = f();', false],
  ])('%s awaits at top level: %s', (text, expected) => {
    expect(parseModule('a.ts', text).awaitsAtTopLevel).toBe(expected);
  });
});
