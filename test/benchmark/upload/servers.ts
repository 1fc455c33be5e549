import type { INestApplication } from '@nestjs/common';

export interface MeasuredServer {
  readonly name: string;
  /** What it is compared with, on the same platform: the usual way first. */
  readonly references: readonly string[];
  readonly create: (root: string) => Promise<INestApplication>;
}

const EXPRESS = ['express-disk', 'express-memory'];
const FASTIFY = ['fastify-parts', 'fastify-disk'];

/** Each loads what it needs only when it is created: in its process nothing of the others takes memory. */
export const SERVERS = {
  'express-disk': {
    name: 'Express, Nest FileInterceptor to disk',
    references: EXPRESS,
    create: async (root) => (await import('./servers/express-disk.js')).create(root),
  },
  'express-memory': {
    name: 'Express, multer memory and writeFile',
    references: EXPRESS,
    create: async (root) => (await import('./servers/express-memory.js')).create(root),
  },
  'express-fast': {
    name: 'Express, nestjs-storages `fast`',
    references: EXPRESS,
    create: async (root) => (await import('./servers/storages.js')).createOnExpress(root, 'fast'),
  },
  'express-full': {
    name: 'Express, nestjs-storages `full`',
    references: EXPRESS,
    create: async (root) => (await import('./servers/storages.js')).createOnExpress(root, 'full'),
  },
  'fastify-parts': {
    name: 'Fastify, @fastify/multipart to disk',
    references: FASTIFY,
    create: async (root) => (await import('./servers/fastify-parts.js')).create(root),
  },
  'fastify-disk': {
    name: 'Fastify, Nest FileInterceptor to disk',
    references: FASTIFY,
    create: async (root) => (await import('./servers/fastify-disk.js')).create(root),
  },
  'fastify-fast': {
    name: 'Fastify, nestjs-storages `fast`',
    references: FASTIFY,
    create: async (root) => (await import('./servers/storages.js')).createOnFastify(root, 'fast'),
  },
} satisfies Record<string, MeasuredServer>;

export type ServerKind = keyof typeof SERVERS;

export const isServerKind = (kind: string): kind is ServerKind => Object.hasOwn(SERVERS, kind);

export const SERVER_KINDS: readonly ServerKind[] = Object.keys(SERVERS).filter(isServerKind);
