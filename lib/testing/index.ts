export * from './fake/index.js';
export * from './faulty/index.js';
