import { type CanActivate, type ExecutionContext, Injectable, UnauthorizedException } from '@nestjs/common';
import { tenantRequestOf } from './tenant-request.js';
import { Tenants } from './tenants.js';

/** As Express and Fastify both have it. */
interface HeaderResponse {
  header(name: string, value: string): unknown;
}

/** Lets in who has a tenant's key, and notes whose request it is. The same answer for no key and for a wrong one. */
@Injectable()
export class TenantGuard implements CanActivate {
  constructor(private readonly tenants: Tenants) {}

  canActivate(context: ExecutionContext): boolean {
    const request = tenantRequestOf(context);
    // RFC 6750, section 2.1; the scheme's name has no letter case
    const [, key] = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const tenant = key === undefined ? undefined : this.tenants.findByKey(key);
    if (tenant === undefined) {
      // RFC 9110, section 15.5.2: a 401 says how to come in
      context.switchToHttp().getResponse<HeaderResponse>().header('WWW-Authenticate', 'Bearer');
      throw new UnauthorizedException('This needs the header Authorization: Bearer <API key>.');
    }
    request.tenant = tenant;
    return true;
  }
}
