// A server under measurement: `node --expose-gc server.js <kind> <root>`. It tells its port, and then answers the bench's questions.
import 'reflect-metadata';
import { mkdirSync } from 'node:fs';
import { QUESTIONS, UsageCounter, type Question, type Usage } from '../measure/usage.js';
import { SERVERS, isServerKind } from './servers.js';

const [kind = '', root = ''] = process.argv.slice(2);
if (!isServerKind(kind)) throw new Error(`No server is called ${kind}.`);
mkdirSync(root, { recursive: true });
const app = await SERVERS[kind].create(root);
await app.listen(0, '127.0.0.1');

const counter = new UsageCounter();
const answers: Record<Question, () => Usage | object> = {
  idle: () => {
    counter.idle();
    return {};
  },
  begin: () => {
    counter.begin();
    return {};
  },
  end: () => counter.end(),
  stop: () => {
    void app.close().then(() => process.exit(0));
    return {};
  },
};

process.on('message', (message) => {
  const question = QUESTIONS.find((each) => each === message);
  if (question === undefined) throw new Error('The bench asked something unknown.');
  process.send?.(answers[question]());
});
process.send?.({ port: Number(new URL(await app.getUrl()).port) });
