// A server under measurement: `node --expose-gc server.js <kind> <root>`. It tells its port, and then answers the bench's questions.
import 'reflect-metadata';
import { mkdirSync } from 'node:fs';
import { answerQuestions } from '../measure/answer-questions.js';
import { SERVERS, isServerKind } from './servers.js';

const [kind = '', root = ''] = process.argv.slice(2);
if (!isServerKind(kind)) throw new Error(`No server is called ${kind}.`);
mkdirSync(root, { recursive: true });
await answerQuestions(await SERVERS[kind].create(root));
