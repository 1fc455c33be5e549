export * from './scoped-storage.js';
