import { startDirectUpload } from './direct-upload-application.js';
import { readSettings } from './settings.js';

async function main(): Promise<void> {
  const { url } = await startDirectUpload();
  const { endpoint, bucket } = readSettings();
  const { port } = new URL(url);
  console.log(
    `The page is open at http://localhost:${port}/\nIts files are in ${endpoint}/${bucket}\nCtrl+C closes it.`,
  );
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
