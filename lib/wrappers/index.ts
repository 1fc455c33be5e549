export * from './forwarded-call.js';
export * from './forwarding-storage.js';
export * from './read-only-storage.js';
export * from './retrying-storage.js';
export * from './scoped-storage.js';
export * from './timeout-storage.js';
