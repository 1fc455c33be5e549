import type { UploadOptions } from './upload-options.js';

/** Options of every upload in the application, below what an interceptor says itself. `limits` are merged one by one. */
export type UploadDefaults = UploadOptions;

/**
 * The injection token of the application's upload defaults. The module provides it from `forRoot({ upload })`; without it there are none.
 *
 * @example
 * { provide: UPLOAD_DEFAULTS, useValue: { limits: { fileSize: 50 * 1024 * 1024 } } satisfies UploadDefaults }
 */
export const UPLOAD_DEFAULTS = 'nestjs-storages:upload-defaults';
