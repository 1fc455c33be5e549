// A server under measurement: `node --expose-gc server.js <kind> <root>`. It sends the files of a folder.
import 'reflect-metadata';
import { answerQuestions } from '../measure/answer-questions.js';
import { SERVERS, isServerKind } from './servers.js';

const [kind = '', root = ''] = process.argv.slice(2);
if (!isServerKind(kind)) throw new Error(`No server is called ${kind}.`);
await answerQuestions(await SERVERS[kind].create(root));
