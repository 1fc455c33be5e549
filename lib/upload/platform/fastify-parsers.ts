import type { HttpAdapterHost } from '@nestjs/core';

/** What of a Fastify instance is used here. Its types are not: an application on Express does not have them. */
interface FastifyLike {
  register(plugin: (instance: FastifyLike) => Promise<void>): unknown;
  hasContentTypeParser(contentType: string): boolean;
  addContentTypeParser(
    contentType: string,
    parser: (request: unknown, payload: unknown, done: (error: Error | null) => void) => void,
  ): unknown;
}

const prepared = new WeakMap<object, Set<string>>();

/**
 * Lets Fastify pass bodies of a content type on unread: it answers 415 to what it has no parser for. To be called when every module has been
 * initialized: plugins load in the order of their registration, so this one finds what the application and Nest's own upload interceptors
 * have registered (@fastify/multipart, which leaves the body unread too), and adds a parser only where there is none.
 *
 * @param contentType a media type, or `*` for every one that has no parser
 */
export function passBodiesOn(adapterHost: HttpAdapterHost | undefined, contentType: string): void {
  const adapter = adapterHost?.httpAdapter;
  if (adapter?.getType() !== 'fastify') return;
  const fastify = adapter.getInstance<FastifyLike>();
  const types = prepared.get(fastify) ?? new Set();
  if (types.has(contentType)) return;
  prepared.set(fastify, types.add(contentType));

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
