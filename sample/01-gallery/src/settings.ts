/** Where this application keeps its files and where it listens, by environment variable. */
export interface Settings {
  /** The folder of the stored files, made when it is missing. `GALLERY_ROOT`, default `var/gallery` under the working directory. */
  readonly root: string;
  /** `PORT`, default 3000; 0 takes a free one. */
  readonly port: number;
  /** `HOST`, default this machine only, for nobody has to log in here. `0.0.0.0` lets a phone in the same network in. */
  readonly host: string;
}

export function readSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  const port = Number(env['PORT'] ?? 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`PORT must be a number from 0 to 65535, not ${JSON.stringify(env['PORT'])}.`);
  }
  return { root: env['GALLERY_ROOT'] ?? 'var/gallery', port, host: env['HOST'] ?? '127.0.0.1' };
}
