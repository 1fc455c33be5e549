export * from './contract/index.js';
export * from './backends/filesystem/index.js';
export * from './backends/memory/index.js';
export * from './registry/index.js';
export * from './upload/index.js';
export * from './wrappers/index.js';
export * from './module/index.js';
