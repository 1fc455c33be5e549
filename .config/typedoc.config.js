// `npm run docs:api`: the reference of every entry, into var/api. A new entry of package.json's `exports` needs no line here.
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  name: 'nestjs-storages',
  entryPoints: Object.values(manifest.exports).flatMap(({ types }) =>
    types === undefined ? [] : [types.replace('./dist/', '../lib/').replace(/\.d\.ts$/, '.ts')],
  ),
  tsconfig: '../lib/tsconfig.lib.json',
  out: '../var/api',
  readme: 'none',
  excludeInternal: true,
  disableGit: true,
  sourceLinkTemplate: '../../{path}#L{line}',
  treatWarningsAsErrors: true,
  validation: {
    notExported: true,
    // Comments that an entry inherits from another one name errors which it does not export itself: TypeDoc cannot follow those.
    invalidLink: false,
    notDocumented: false,
  },
};
