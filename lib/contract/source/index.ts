export * from './checked-source.js';
export * from './open-source.js';
