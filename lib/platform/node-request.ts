import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';

/** A request as the platform has it (where decorators look for a body and files), and the one of Node below it, whose bytes are read. */
export interface PlatformRequest {
  /** What `@Body()`, `@UploadedFile()` and `@UploadedFiles()` read from. */
  readonly carrier: object;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Express extends Node's request and response; Fastify has them in `raw`. */
export function platformRequestOf(context: ExecutionContext): PlatformRequest {
  const http = context.switchToHttp();
  const carrier = http.getRequest<object>();
  return {
    carrier,
    request: rawRequestOf(carrier),
    response: rawResponseOf(http.getResponse<object>()),
  };
}

export function rawRequestOf(request: object): IncomingMessage {
  return rawOf(request) as IncomingMessage;
}

export function rawResponseOf(response: object): ServerResponse {
  return rawOf(response) as ServerResponse;
}

function rawOf(message: object): object {
  const { raw } = message as { readonly raw?: unknown };
  // an Express application may have put anything there
  return typeof raw === 'object' && raw !== null && 'socket' in raw ? raw : message;
}
