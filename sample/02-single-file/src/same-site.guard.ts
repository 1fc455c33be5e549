import { type CanActivate, type ExecutionContext, ForbiddenException, Injectable } from '@nestjs/common';
import type { Request } from 'express';

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Nobody logs in here, so any other site in the visitor's browser could send a form to this address. Browsers say where a request
 * comes from; programs such as curl do not, and are let in.
 */
@Injectable()
export class SameSiteGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { method, headers } = context.switchToHttp().getRequest<Request>();
    if (READS.has(method) || isOwn(headers)) return true;
    throw new ForbiddenException('The inbox can be changed from its own page only, not from another site.');
  }
}

/** `Sec-Fetch-Site` is sent to https and to localhost only, `Origin` to every address. */
function isOwn({ host, origin, 'sec-fetch-site': site }: Request['headers']): boolean {
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}
