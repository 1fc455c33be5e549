/** Which bucket this application uses and where it listens, by environment variable. */
export interface Settings {
  /** The server's address: `S3_ENDPOINT`. */
  readonly endpoint: string;
  /** `S3_REGION`, default us-east-1. */
  readonly region: string;
  /** `S3_BUCKET`, default `direct-upload`; made when it is missing. Its CORS and lifecycle rules are set by this application. */
  readonly bucket: string;
  /** `S3_FORCE_PATH_STYLE`, default true. */
  readonly forcePathStyle: boolean;
  /** `S3_ACCESS_KEY_ID` and `S3_SECRET_ACCESS_KEY`; without them the SDK looks where it always does. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
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
  const { S3_ENDPOINT: endpoint, S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (endpoint === undefined) {
    throw new Error('S3_ENDPOINT is missing: the address of an S3 server. sample/03-s3/start starts one too.');
  }
  return {
    endpoint,
    region: env['S3_REGION'] ?? 'us-east-1',
    bucket: env['S3_BUCKET'] ?? 'direct-upload',
    forcePathStyle: env['S3_FORCE_PATH_STYLE'] !== 'false',
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey },
    port,
    host: env['HOST'] ?? '127.0.0.1',
  };
}
