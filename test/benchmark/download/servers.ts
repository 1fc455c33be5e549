import type { INestApplication } from '@nestjs/common';

export interface DownloadServer {
  readonly name: string;
  readonly create: (root: string) => Promise<INestApplication>;
}

/** Each loads what it needs only when it is created: in its process nothing of the others takes memory. */
export const SERVERS = {
  'express-stream': {
    name: 'Express, StreamableFile over createReadStream',
    create: async (root) => (await import('./servers/streamable-file.js')).createOnExpress(root),
  },
  'express-send': {
    name: 'Express, res.sendFile',
    create: async (root) => (await import('./servers/send-file.js')).create(root),
  },
  'express-stored': {
    name: 'Express, storedFile',
    create: async (root) => (await import('./servers/stored-file.js')).createOnExpress(root),
  },
  'fastify-stream': {
    name: 'Fastify, StreamableFile over createReadStream',
    create: async (root) => (await import('./servers/streamable-file.js')).createOnFastify(root),
  },
  'fastify-static': {
    name: 'Fastify, @fastify/static',
    create: async (root) => (await import('./servers/fastify-static.js')).create(root),
  },
  'fastify-stored': {
    name: 'Fastify, storedFile',
    create: async (root) => (await import('./servers/stored-file.js')).createOnFastify(root),
  },
} satisfies Record<string, DownloadServer>;

export type ServerKind = keyof typeof SERVERS;

export const isServerKind = (kind: string): kind is ServerKind => Object.hasOwn(SERVERS, kind);

export const SERVER_KINDS: readonly ServerKind[] = Object.keys(SERVERS).filter(isServerKind);

/** What each of ours may cost at most, as a multiple of another server's CPU on the same platform. */
export const GOALS: readonly {
  readonly own: ServerKind;
  readonly against: ServerKind;
  readonly most: Record<string, number>;
}[] = [
  { own: 'express-stored', against: 'express-stream', most: { large: 0.6, small: 0.9 } },
  { own: 'express-stored', against: 'express-send', most: { large: 1, small: 0.9 } },
  { own: 'fastify-stored', against: 'fastify-stream', most: { large: 0.6, small: 0.9 } },
  { own: 'fastify-stored', against: 'fastify-static', most: { large: 1, small: 0.9 } },
];
