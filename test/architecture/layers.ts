/**
 * The arrows of the design: what each folder of lib may import besides itself.
 *
 * contract <- registry, platform, logging, backends, wrappers, events, shutdown <- upload, download <- signing <- module
 */
export const LAYERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['contract', []],
  ['registry', ['contract']],
  ['platform', []],
  ['logging', ['contract']],
  ['backends', ['contract']],
  ['wrappers', ['contract']],
  ['events', ['contract', 'registry', 'logging']],
  ['shutdown', ['contract', 'logging', 'platform']],
  ['upload', ['contract', 'registry', 'platform', 'logging', 'backends', 'wrappers', 'shutdown']],
  ['download', ['contract', 'registry', 'platform', 'logging', 'backends', 'wrappers', 'shutdown']],
  [
    'signing',
    ['contract', 'registry', 'platform', 'logging', 'backends', 'wrappers', 'shutdown', 'upload', 'download'],
  ],
  [
    'module',
    [
      ...['contract', 'registry', 'platform', 'logging', 'backends', 'wrappers', 'events', 'shutdown'],
      ...['upload', 'download', 'signing'],
    ],
  ],
  // entries of their own: nobody imports them, and they run without the module
  ['opentelemetry', ['contract']],
  ['swagger', ['contract', 'upload', 'module']],
  ['terminus', ['contract', 'registry', 'wrappers', 'logging']],
  ['testing', ['contract', 'registry', 'backends', 'wrappers']],
]);

/** The root entry, which stands above all folders and shows what they have, but for the entries of their own. */
export const ROOT_ENTRY = 'index.ts';
export const OWN_ENTRIES: readonly string[] = ['opentelemetry', 'swagger', 'terminus', 'testing'];
export const ROOT_ENTRY_MAY_IMPORT: readonly string[] = [...LAYERS.keys()].filter(
  (layer) => !OWN_ENTRIES.includes(layer),
);

/** Folders whose parts must not know each other. */
export const ISOLATED_PARTS: readonly string[] = ['backends'];

/** Packages that a folder is limited to. A folder that is not named here may import whatever package.json lets a consumer install. */
export const PACKAGES: ReadonlyMap<string, readonly string[]> = new Map([['contract', ['mime-types']]]);

/** Reached only through an entry of their own: an application that does without them must be able to load the root entry. */
export const OPTIONAL_PEERS: readonly RegExp[] = [
  /^better-sqlite3$/,
  /^@aws-sdk\//,
  /^@smithy\//,
  /^@nestjs\/terminus$/,
  /^@nestjs\/swagger$/,
  /^@opentelemetry\//,
];

/** A file that needs more than one sitting to read. */
export const MAX_LINES = 400;

/** The exceptions, each with its reason. */
export const LONGER_FILES: ReadonlyMap<string, number> = new Map([
  // one class: every public method, with the checks that all of them share
  ['contract/base/base-storage.ts', 500],
]);

/** Names that say nothing of what is inside. */
export const EMPTY_NAMES = /(?:^|[-.])(?:utils?|helpers?|misc|common|manager|stuff)(?:[-.]|$)/i;
