import type { IncomingMessage, Server } from 'node:http';
import type { AbstractHttpAdapter } from '@nestjs/core';

/** Without them a request has no body to a parser (RFC 9112, section 6.3). */
const OF_A_BODY = ['content-type', 'content-length', 'transfer-encoding'] as const;

const hidden = Symbol('hidden headers');

type Hidden = IncomingMessage & { [hidden]?: Readonly<Record<string, string>> };

/** What of a Fastify instance is used here. Its types are not: an application on Express does not have them. */
interface FastifyLike {
  addHook(
    name: 'onRequest',
    hook: (request: { readonly raw: IncomingMessage }, reply: unknown, done: () => void) => void,
  ): unknown;
}

/**
 * Keeps body parsers of the application (JSON, forms, text, raw, whatever it has switched on, on either platform) from the bodies of requests whose bytes are a file's: what
 * tells of a body is taken out of the headers before anything of the application sees them, until {@link showBody}.
 */
export function hideBodies(adapter: AbstractHttpAdapter, isMeant: (request: IncomingMessage) => boolean): void {
  const hide = (request: Hidden): void => {
    if (request[hidden] !== undefined || !isMeant(request)) return;
    makeDecodable(request);
    if (request.method !== 'PUT' && request.method !== 'POST') return;
    const taken: Record<string, string> = {};
    for (const name of OF_A_BODY) {
      const value = request.headers[name];
      if (value !== undefined) taken[name] = value;
      Reflect.deleteProperty(request.headers, name);
    }
    request[hidden] = taken;
  };
  // an application without a server has none
  (adapter.getHttpServer() as Server | undefined)?.prependListener('request', hide);
  if (adapter.getType() !== 'fastify') return;
  // it has servers that nobody is told of, one for each further address of `localhost`, and requests of none (`inject()`)
  adapter.getInstance<FastifyLike>().addHook('onRequest', ({ raw }, _reply, done) => {
    hide(raw);
    done();
  });
}

/** Gives the headers back to whoever reads the body. */
export function showBody(request: Hidden): void {
  Object.assign(request.headers, request[hidden]);
}

/**
 * A router answers 400 to a path that it cannot decode; a URL that was tampered with is refused by those who know of it. What it then reads could be
 * what was signed, for a key with a percent sign: the `&` at the end makes it none.
 */
function makeDecodable(request: IncomingMessage): void {
  const { url = '' } = request;
  const [path = ''] = url.split('?', 1);
  try {
    decodeURIComponent(path);
  } catch {
    request.url = `${url.replaceAll('%', '%25')}&`;
  }
}
