import type { ExecutionContext } from '@nestjs/common';
import type { Tenant } from './tenant.js';

/** As much of a request as Express and Fastify have in common here, and what guards have found out about it. */
export interface TenantRequest {
  readonly headers: { readonly authorization?: string };
  readonly query: Readonly<Record<string, unknown>>;
  tenant?: Tenant;
}

export function tenantRequestOf(context: ExecutionContext): TenantRequest {
  return context.switchToHttp().getRequest<TenantRequest>();
}

/**
 * Whoever needs a tenant asks here, and gets none without the guard: a route that has forgotten it fails, and shows nobody's files.
 *
 * @throws Error where no guard has run
 */
export function tenantOf(context: ExecutionContext): Tenant {
  const { tenant } = tenantRequestOf(context);
  if (tenant === undefined) {
    throw new Error(`${context.getClass().name}.${context.getHandler().name} needs @ForTenants().`);
  }
  return tenant;
}
