// The program of a thread that owns one connection to the database.
import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadSettings } from '../protocol.js';
import { RequestLoop } from './request-loop.js';

if (parentPort === null) throw new Error('This is the program of a thread.');
new RequestLoop(parentPort, workerData as ThreadSettings).start();
