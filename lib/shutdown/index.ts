export type { ShutdownOptions } from './shutdown-options.js';
