export * from './contract/index.js';
export * from './backends/memory/index.js';
export * from './registry/index.js';
export * from './upload/index.js';
