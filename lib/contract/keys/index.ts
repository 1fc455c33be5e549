export * from './compare-keys.js';
export * from './encode-key.js';
export * from './sanitize-key.js';
