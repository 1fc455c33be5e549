import { ScopedStorage, type Storage, sanitizeKey } from 'nestjs-storages';
import type { Tenant } from './tenant.js';

const prefixOf = ({ id }: Tenant): string => `${id}/`;

/**
 * A tenant's own part of a storage. Whatever key comes from outside, this view has no other files: there is nothing to forget in a route. It costs
 * an object and opens nothing, so each request may make one.
 */
export function tenantView(storage: Storage, tenant: Tenant): Storage {
  // one name for all tenants: it stands in spans and metrics, which should not grow with them
  return new ScopedStorage(storage, prefixOf(tenant), { keys: 'strict', name: 'tenant' });
}

/**
 * Where a file of the view lies in the storage itself: for an upload, which takes the registered name of a storage and no view. The path must be checked
 * by itself, before the prefix stands before it: `..` would otherwise climb over the prefix.
 *
 * @throws InvalidKeyError
 */
export function tenantKey(tenant: Tenant, path: string): string {
  return prefixOf(tenant) + sanitizeKey(path, { mode: 'strict' });
}

/** The way back. */
export function pathInView(tenant: Tenant, key: string): string {
  return key.slice(prefixOf(tenant).length);
}
