export * from './stored-upload.js';
export * from './upload-defaults.js';
export * from './upload-options.js';
