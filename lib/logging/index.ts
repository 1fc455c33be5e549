export { StorageLogger } from './storage-logger.js';
