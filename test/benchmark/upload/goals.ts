import type { ServerKind } from './servers.js';
import { MANY_LARGE, MANY_SMALL, ONE_4_GIB, ONE_GIB, SMALL } from './works.js';

/** At most so much CPU as a multiple of another server's, or at most so many MiB of memory over idle. */
export type Goal = { readonly work: string; readonly server: ServerKind; readonly most: number } & (
  { readonly of: 'cpu'; readonly against: ServerKind } | { readonly of: 'memory' }
);

const cpu = (server: ServerKind, against: ServerKind, most: Record<string, number>): Goal[] =>
  Object.entries(most).map(([work, ratio]) => ({ of: 'cpu', work, server, against, most: ratio }));

const memory = (most: Record<string, number>): Goal[] =>
  Object.entries(most).flatMap(([work, mebibytes]) =>
    (['express-fast', 'fastify-fast'] as const).map((server) => ({
      of: 'memory' as const,
      work,
      server,
      most: mebibytes,
    })),
  );

export const GOALS: readonly Goal[] = [
  ...cpu('express-fast', 'express-disk', { [ONE_GIB]: 0.6, [MANY_LARGE]: 0.7, [SMALL]: 0.7, [MANY_SMALL]: 0.6 }),
  ...cpu('express-fast', 'express-memory', { [ONE_GIB]: 0.6, [MANY_LARGE]: 0.55, [SMALL]: 0.8, [MANY_SMALL]: 0.6 }),
  ...cpu('fastify-fast', 'fastify-parts', { [ONE_GIB]: 0.75, [MANY_LARGE]: 0.75, [SMALL]: 0.75, [MANY_SMALL]: 0.75 }),
  ...memory({ [ONE_GIB]: 48, [ONE_4_GIB]: 48, [MANY_LARGE]: 96 }),
];
