export * from './faulty-storage.js';
export type * from './fault.js';
export type { Gate } from './gate.js';
