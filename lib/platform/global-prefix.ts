import { RequestMethod } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';

interface ExcludedRoute {
  readonly pathRegex: RegExp;
  readonly requestMethod: RequestMethod;
}

/** What of Nest's container is used here: the application's configuration, which Nest does not provide. */
interface Container {
  readonly applicationConfig?: {
    getGlobalPrefix(): string;
    getGlobalPrefixOptions(): { readonly exclude?: readonly ExcludedRoute[] | undefined };
  };
}

/**
 * The path of a route as requests have it: `/api/storage` with the global prefix `api`. Asked when it is needed, since the prefix is set after the
 * providers are made.
 *
 * @param path without slashes at its ends
 * @param method a route of one method may be excluded from the prefix where that of another is not
 */
export function routePathOf(moduleRef: ModuleRef, path: string, method: 'GET' | 'PUT' | 'POST'): string {
  const config = (moduleRef as unknown as { readonly container: Container }).container.applicationConfig;
  const prefix = config?.getGlobalPrefix().replace(/^\/+|\/+$/g, '') ?? '';
  const excluded = config
    ?.getGlobalPrefixOptions()
    .exclude?.some(
      ({ pathRegex, requestMethod }) =>
        (requestMethod === RequestMethod.ALL || requestMethod === RequestMethod[method]) &&
        pathRegex.test(`/${path}/a`),
    );
  return prefix === '' || excluded === true ? `/${path}` : `/${prefix}/${path}`;
}
