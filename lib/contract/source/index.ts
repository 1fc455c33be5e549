export * from './checked-source.js';
export * from './hear-errors.js';
export * from './open-source.js';
export * from './source-reading.js';
