export * from './conformance/index.js';
export * from './fake/index.js';
export * from './faulty/index.js';
