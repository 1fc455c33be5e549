import { type CanActivate, type ExecutionContext, ForbiddenException, Injectable } from '@nestjs/common';
import type { Request } from 'express';

/**
 * Nobody logs in here, so any other site that is open in the visitor's browser could send a form to this address. Browsers say
 * where a request comes from (Fetch Metadata); programs such as curl do not, and are let in.
 */
@Injectable()
export class SameSiteGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const site = context.switchToHttp().getRequest<Request>().headers['sec-fetch-site'];
    if (site === undefined || site === 'same-origin' || site === 'none') return true;
    throw new ForbiddenException('Files can be changed from this page only, not from another site.');
  }
}
