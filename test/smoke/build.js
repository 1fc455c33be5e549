// Run by `.ci/bundles` in the folder of the application: dist/application.js by SWC, and from it dist/bundle.mjs and dist/bundle.cjs by esbuild.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { transformSync } from '@swc/core';
import { build } from 'esbuild';

// as Nest's CLI sets SWC up
const { code } = transformSync(readFileSync('application.ts', 'utf8'), {
  filename: 'application.ts',
  swcrc: false,
  module: { type: 'nodenext' },
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
});
if (!code.includes('design:paramtypes')) throw new Error('SWC wrote no metadata of decorators');
mkdirSync('dist', { recursive: true });
writeFileSync('dist/application.js', code);

// What Nest asks for if it is there. None of the library's own optional peers is on the list: its root entry names none.
const external = [
  '@fastify/*',
  '@nestjs/microservices',
  '@nestjs/microservices/*',
  '@nestjs/platform-fastify',
  '@nestjs/websockets',
  '@nestjs/websockets/*',
  'class-transformer',
  'class-transformer/*',
  'class-validator',
];

const common = { entryPoints: ['dist/application.js'], bundle: true, platform: 'node', target: 'node20', external };
const results = await Promise.all([
  build({
    ...common,
    format: 'esm',
    outfile: 'dist/bundle.mjs',
    // Express and its like call require(), which an ES module has not
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
  }),
  build({
    ...common,
    format: 'cjs',
    outfile: 'dist/bundle.cjs',
    // Nest 12 asks for import.meta.url, which CommonJS has not
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  }),
]);
if (results.some(({ warnings }) => warnings.length > 0)) throw new Error('esbuild warns');
