/** Where this application keeps its files, where it listens and what it stands on, by environment variable. */
export interface Settings {
  /** The folder of the three storages, made when it is missing. `APPLICATIONS_ROOT`, default `var/applications` under the working directory. */
  readonly root: string;
  /** `PORT`, default 3000; 0 takes a free one. */
  readonly port: number;
  /** `PLATFORM`, default express. */
  readonly platform: 'express' | 'fastify';
}

export function readSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  const port = Number(env['PORT'] ?? 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`PORT must be a number from 0 to 65535, not ${JSON.stringify(env['PORT'])}.`);
  }
  const platform = env['PLATFORM'] ?? 'express';
  if (platform !== 'express' && platform !== 'fastify') {
    throw new Error(`PLATFORM must be express or fastify, not ${JSON.stringify(platform)}.`);
  }
  return { root: env['APPLICATIONS_ROOT'] ?? 'var/applications', port, platform };
}
