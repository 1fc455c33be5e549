import type { IncomingMessage, ServerResponse } from 'node:http';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Observable } from 'rxjs';
import { tenantRequestOf } from '../tenancy/tenant-request.js';

/**
 * A span for each request, which what is done for it lies below. In production @opentelemetry/instrumentation-http does this, and takes over the
 * trace of whoever asks; this is as much of it as a console needs.
 */
export function requestSpan({ method = 'GET' }: IncomingMessage, response: ServerResponse, next: () => void): void {
  // the path would be a user's own words
  const options = { kind: SpanKind.SERVER, attributes: { 'http.request.method': method } };
  trace.getTracer('04-documents').startActiveSpan(method, options, (span) => {
    response.once('close', () => {
      span.setAttribute('http.response.status_code', response.statusCode);
      if (response.statusCode >= 500 || !response.writableFinished) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
    next();
  });
}

/** Says in the request's span which handler it was, and for which tenant. */
@Injectable()
export class RequestSpanInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const span = trace.getActiveSpan();
    span?.updateName(`${context.getClass().name}.${context.getHandler().name}`);
    const { tenant } = tenantRequestOf(context);
    if (tenant !== undefined) span?.setAttribute('tenant', tenant.id);
    return next.handle();
  }
}
