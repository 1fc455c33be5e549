export * from './fake-storage.js';
export type { ExpectedAttributes } from './assert-stored.js';
export type { RecordedCall } from './call-log.js';
