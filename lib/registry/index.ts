export * from './storage-token.js';
