import { FastifyAdapter } from '@nestjs/platform-fastify';

/** Fastify refuses bodies over 1 MiB unless told otherwise, and @fastify/multipart takes its limit of a file from there. */
export const fastifyAdapter = (): FastifyAdapter => new FastifyAdapter({ bodyLimit: 8 * 1024 ** 3 });
