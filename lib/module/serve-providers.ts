import { Inject, Injectable, type OnModuleInit, type Provider, type Type } from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { ConfigurationError } from '../contract/index.js';
import { routePathOf } from '../platform/global-prefix.js';
import { wildcardRoute, type WildcardRoute } from '../platform/wildcard-path.js';
import { StorageRegistry } from '../registry/index.js';
import type { ServeRoute, ServeSettings } from '../signing/index.js';
import { routeOf, SignedRoutes } from '../signing/signed-routes.js';
import { signedUrlController } from '../signing/signed-url.controller.js';
import { hideBodies } from '../signing/unread-bodies.js';
import { SERVE_ROUTE } from '../signing/uploaded.interceptors.js';
import { SigningHolder } from './signing-holder.js';
import type { StorageOptions } from './storage-module-options.interface.js';

/** What a registration that serves signed URLs adds to its module. */
export interface ServeMetadata {
  readonly controllers: Type[];
  readonly wildcards: WildcardRoute[];
  readonly providers: Provider[];
}

/** Prepares the platform for signed URLs when the application starts. */
@Injectable()
class SignedRoutesStart implements OnModuleInit {
  constructor(
    @Inject(SignedRoutes) private readonly routes: SignedRoutes,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {}

  onModuleInit(): void {
    this.routes.checkStorages();
    // an application without HTTP may still sign
    const { httpAdapter } = this.adapterHost as Partial<HttpAdapterHost>;
    if (httpAdapter !== undefined) hideBodies(httpAdapter, (request) => this.routes.isMeant(request));
  }
}

/**
 * @param inject what `settingsIn` is given
 * @throws ConfigurationError for a path that is none
 */
export function serveMetadata(
  route: ServeRoute | undefined,
  inject: readonly string[],
  settingsIn: (options: StorageOptions) => ServeSettings | undefined,
): ServeMetadata {
  if (route === undefined) return { controllers: [], wildcards: [], providers: [] };
  const path = routeOf(route.path);
  const below = wildcardRoute('key');
  return {
    controllers: [signedUrlController(path, below)],
    wildcards: [below],
    providers: [
      { provide: SERVE_ROUTE, useValue: route },
      {
        provide: SignedRoutes,
        inject: [SigningHolder, StorageRegistry, ModuleRef, ...inject],
        useFactory: (
          holder: SigningHolder,
          registry: StorageRegistry,
          moduleRef: ModuleRef,
          options: StorageOptions,
        ): SignedRoutes => {
          const settings = settingsIn(options);
          if (settings === undefined) throw settingsMissing();
          return holder.give(
            new SignedRoutes({ settings, registry, routePath: (method) => routePathOf(moduleRef, path, method) }),
          );
        },
      },
      SignedRoutesStart,
    ],
  };
}

function settingsMissing(): ConfigurationError {
  return new ConfigurationError(
    "forRootAsync() says 'serve', and its factory gives none: it must give { storages, serve: { baseUrl, secrets } }.",
  );
}
