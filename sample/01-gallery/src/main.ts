import { resolve } from 'node:path';
import { createGallery } from './gallery-application.js';
import { readSettings } from './settings.js';

async function main(): Promise<void> {
  const settings = await readSettings();
  const { root, port, host } = settings;
  const app = await createGallery(settings);
  try {
    await app.listen(port, host);
  } catch (error) {
    await app.close();
    throw new Error(listenFailure(error, port, host), { cause: error });
  }
  const url = new URL(await app.getUrl());
  // 127.0.0.1 and [::1] are what people know as localhost
  if (/^(?:127\.0\.0\.1|\[::1\])$/.test(url.hostname)) url.hostname = 'localhost';
  if (process.env['URL_SECRET'] === undefined) {
    console.log('URL_SECRET is not set: links that are shared end when the gallery is closed.');
  }
  console.log(`The gallery is open at ${url.href}\nIts files are in ${resolve(root)}\nCtrl+C closes it.`);
}

function listenFailure(error: unknown, port: number, host: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return `Port ${port} is taken by another program. Choose another one: PORT=${port + 1} npm start`;
  }
  if (code === 'EACCES')
    return `Port ${port} is reserved for the administrator. Choose one above 1023: PORT=3000 npm start`;
  return `Could not listen on ${host}, port ${port}: ${error instanceof Error ? error.message : String(error)}`;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
