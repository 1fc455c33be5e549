import { resolve } from 'node:path';
import { createFormApplication } from './form-application.js';
import { readSettings } from './settings.js';

const { root, port, platform } = readSettings();
const app = await createFormApplication();
// this machine only: nobody logs in here
await app.listen(port, '127.0.0.1');
const { port: taken } = new URL(await app.getUrl());
console.log(
  `The form is open at http://localhost:${taken}/, on ${platform}\nIts files are in ${resolve(root)}\nCtrl+C closes it.`,
);
