import type { HttpAdapterHost } from '@nestjs/core';

/** What of a Fastify instance is used here. Its types are not: an application on Express does not have them. */
interface FastifyLike {
  register(plugin: (instance: FastifyLike) => Promise<void>): unknown;
  hasContentTypeParser(contentType: string | RegExp): boolean;
  addContentTypeParser(
    contentType: string | RegExp,
    parser: (request: unknown, payload: unknown, done: (error: Error | null) => void) => void,
  ): unknown;
}

/** Which bodies an interceptor reads itself: those of forms, or those of every type. */
export type UnreadBodies = 'multipart' | 'every';

/** A pattern, so that it is no second parser of `multipart/form-data` beside that of @fastify/multipart, which comes before it. */
const CONTENT_TYPES: Readonly<Record<UnreadBodies, string | RegExp>> = { multipart: /^multipart\//, every: '*' };

/** What the interceptors of this process read, known when their classes are made. */
const wanted = new Set<UnreadBodies>();

export function wantBodies(bodies: UnreadBodies): void {
  wanted.add(bodies);
}

/**
 * Passes forms on for an application that has storages, if anything in its process uploads: Nest calls no hook on an interceptor that
 * depends on something of the request.
 */
export function passWantedForms(adapterHost: HttpAdapterHost): void {
  if (wanted.has('multipart')) passBodiesOn(adapterHost, 'multipart');
}

const prepared = new WeakMap<object, Set<UnreadBodies>>();

/**
 * Lets Fastify pass bodies on unread: it answers 415 to what it has no parser for. To be called when every module has been initialized:
 * plugins load in the order of their registration, so this one finds what the application and Nest's own upload interceptors have registered
 * (@fastify/multipart leaves the body unread too), and adds a parser only where there is none.
 */
export function passBodiesOn(adapterHost: HttpAdapterHost | undefined, bodies: UnreadBodies): void {
  const adapter = adapterHost?.httpAdapter;
  if (adapter?.getType() !== 'fastify') return;
  const fastify = adapter.getInstance<FastifyLike>();
  const types = prepared.get(fastify) ?? new Set();
  if (types.has(bodies)) return;
  prepared.set(fastify, types.add(bodies));
  const contentType = CONTENT_TYPES[bodies];

  const plugin = (instance: FastifyLike): Promise<void> => {
    if (!instance.hasContentTypeParser(contentType)) {
      instance.addContentTypeParser(contentType, (_request, _payload, done) => {
        done(null);
      });
    }
    return Promise.resolve();
  };
  // as fastify-plugin does: for the whole application rather than a context of its own
  fastify.register(Object.assign(plugin, { [Symbol.for('skip-override')]: true }));
}
