import { type CanActivate, type ExecutionContext, ForbiddenException, Injectable } from '@nestjs/common';
import type { Request } from 'express';

/**
 * Nobody logs in here, so any other site that is open in the visitor's browser could send a form to this address. Browsers say
 * where a request comes from: in `Sec-Fetch-Site`, which they send to https and to localhost only, and else in `Origin`. Programs such
 * as curl say neither, and are let in. Reading is not asked: a shared link is followed from any site.
 */
@Injectable()
export class SameSiteGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { method, headers } = context.switchToHttp().getRequest<Request>();
    if (method === 'GET' || method === 'HEAD') return true;
    const { host, origin, 'sec-fetch-site': site } = headers;
    const own = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
    if (site === undefined ? own : site === 'same-origin' || site === 'none') return true;
    throw new ForbiddenException('Files can be changed from this page only, not from another site.');
  }
}
