// For `node --import`: lets a child process of a test run the library's TypeScript as it stands, its threads too.
import { register } from 'node:module';

register('./typescript-loader.js', import.meta.url);
