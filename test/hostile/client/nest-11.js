// For a server on Nest 11: node --import ./nest-11.js
import { register } from 'node:module';

register('./nest-11-hooks.js', import.meta.url);
