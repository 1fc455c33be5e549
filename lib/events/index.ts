export * from './storage-event.js';
export { OnStorageEvent, type StorageEventDecorator } from './on-storage-event.decorator.js';
