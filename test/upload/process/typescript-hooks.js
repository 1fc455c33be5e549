import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

const OWN = new Map([
  ['nestjs-storages', 'index.ts'],
  ['nestjs-storages/opentelemetry', 'opentelemetry/index.ts'],
  ['nestjs-storages/s3', 'backends/s3/index.ts'],
  ['nestjs-storages/sqlite', 'backends/sqlite/index.ts'],
  ['nestjs-storages/swagger', 'swagger/index.ts'],
  ['nestjs-storages/terminus', 'terminus/index.ts'],
]);

export async function resolve(specifier, context, next) {
  const own = OWN.get(specifier);
  if (own !== undefined) {
    return { url: new URL(`../../../lib/${own}`, import.meta.url).href, format: 'module', shortCircuit: true };
  }
  // the program of a thread has no parent
  const ofSource = context.parentURL === undefined || context.parentURL.endsWith('.ts');
  if (ofSource && /^(?:\.|file:).*\.js$/.test(specifier)) {
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(source)) return { url: source.href, format: 'module', shortCircuit: true };
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { code } = await transform(await readFile(fileURLToPath(url), 'utf8'), {
    filename: fileURLToPath(url),
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      keepClassNames: true,
    },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  });
  return { format: 'module', source: code, shortCircuit: true };
}
