import { resolve } from 'node:path';
import { setUpSwaggerUi } from './docs/swagger-ui.js';
import { createDocumentService } from './document-service.js';
import { DEMO_TENANTS, Settings } from './settings/settings.js';

async function main(): Promise<void> {
  const settings = await Settings.read();
  const app = await createDocumentService(settings);
  setUpSwaggerUi(app);
  try {
    await app.listen(settings.port, settings.host);
  } catch (error) {
    await app.close();
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    throw taken ? new Error(`Port ${settings.port} is taken by another program. Choose another one by PORT.`) : error;
  }
  const url = new URL(await app.getUrl());
  // 127.0.0.1 and [::1] are what people know as localhost
  if (/^(?:127\.0\.0\.1|\[::1\])$/.test(url.hostname)) url.hostname = 'localhost';
  console.log(
    `The document service listens at ${url.href} on ${settings.platform}, and is described at ${url.href}docs`,
  );
  console.log(`Its files are in ${resolve(settings.root)}`);
  if (settings.tenantsFile === DEMO_TENANTS) {
    console.log('TENANTS_FILE is not set: the keys are acme-demo-key and globex-demo-key, which everybody knows.');
  }
  if (process.env['URL_SECRET'] === undefined) {
    console.log('URL_SECRET is not set: links that are shared end when the service does.');
  }
  console.log('Ctrl+C closes it.');
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
