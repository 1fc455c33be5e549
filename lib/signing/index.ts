export type { ServeOptions, ServeRoute, ServeSettings, SignedUploadHook } from './serve-options.js';
export type { SigningSecret } from './signing-secrets.js';
