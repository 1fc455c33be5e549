import { besiege } from './run/jest-siege.js';

besiege('sqlite');
