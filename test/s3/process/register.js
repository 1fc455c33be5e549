// For `node --import`: lets a program of this folder run the library's TypeScript as it stands.
import { register } from 'node:module';

register('../../filesystem/process/typescript-loader.js', import.meta.url);
