import type { AbstractHttpAdapter } from '@nestjs/core';

/**
 * The paths of a route, the last of which stands for everything below its controller's. The platforms write that differently, and which one there is, is known only when the
 * application starts: so it is an array, as a route decorator takes it, whose last path {@link settleWildcard} then writes.
 */
export interface WildcardRoute {
  readonly paths: string[];
  /** The parameter that has the rest of the path on Express; on Fastify it is `*`. */
  readonly name: string;
}

/** @param before paths that the route has too */
export function wildcardRoute(name: string, ...before: string[]): WildcardRoute {
  return { paths: [...before, `*${name}`], name };
}

/**
 * To be called before Nest makes the routes: in a module's `configure()`. Express names its wildcards (path-to-regexp), Fastify's router takes no name after
 * the star.
 */
export function settleWildcard({ paths, name }: WildcardRoute, adapter: Pick<AbstractHttpAdapter, 'getType'>): void {
  paths[paths.length - 1] = adapter.getType() === 'fastify' ? '*' : `*${name}`;
}
