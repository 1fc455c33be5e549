import { it } from '@jest/globals';
import { s3Server } from '../s3/server/s3-server.js';
import { besiege } from './run/jest-siege.js';

const server = await s3Server('The attack on S3');

if (server === undefined) it('is not run without a server', () => undefined);
else besiege('s3');
