import { resolve } from 'node:path';
import { createInbox } from './inbox-application.js';
import { readSettings } from './settings.js';

async function main(): Promise<void> {
  const { file, port, host } = readSettings();
  const app = await createInbox();
  try {
    await app.listen(port, host);
  } catch (error) {
    await app.close();
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    throw taken ? new Error(`Port ${port} is taken by another program. Choose another one: PORT=${port + 1}`) : error;
  }
  const url = new URL(await app.getUrl());
  // 127.0.0.1 and [::1] are what people know as localhost
  if (/^(?:127\.0\.0\.1|\[::1\])$/.test(url.hostname)) url.hostname = 'localhost';
  console.log(`The inbox is open at ${url.href}\nAll of it is in ${resolve(file)}\nCtrl+C closes it.`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
