/** Where this application keeps its file and where it listens, by environment variable. */
export interface Settings {
  /** The database, made when it is missing, with its folder. `INBOX_FILE`, default `var/inbox.db` under the working directory. */
  readonly file: string;
  /** `PORT`, default 3000; 0 takes a free one. */
  readonly port: number;
  /** `HOST`, default this machine only, for nobody has to log in here. */
  readonly host: string;
}

export function readSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  const port = Number(env['PORT'] ?? 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`PORT must be a number from 0 to 65535, not ${JSON.stringify(env['PORT'])}.`);
  }
  return { file: env['INBOX_FILE'] ?? 'var/inbox.db', port, host: env['HOST'] ?? '127.0.0.1' };
}
