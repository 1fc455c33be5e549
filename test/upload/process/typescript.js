// Lets plain Node run the library's sources, for tests that need a process of their own: node --import ./typescript.js server.ts
import { register } from 'node:module';

register('./typescript-hooks.js', import.meta.url);
