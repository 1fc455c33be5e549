import { MultipartBody } from '../measure/multipart-body.js';
import { SERVER_KINDS, type ServerKind } from './servers.js';

const KIB = 1024;
const MIB = 1024 * KIB;

interface Sending {
  readonly body: MultipartBody;
  readonly requests: number;
  readonly atOnce: number;
}

export interface Work extends Sending {
  readonly name: string;
  readonly path: '/one' | '/many';
  /** Sent before the CPU counts, after {@link SMALL_REQUESTS}: the same paths of the code, to have them compiled. */
  readonly warmUp: Sending;
  readonly servers: readonly ServerKind[];
}

/** What every server gets first: what is loaded and compiled once is so after it. */
export const SMALL_REQUESTS: Sending = { body: new MultipartBody(1, 10 * KIB), requests: 300, atOnce: 16 };

export const ONE_GIB = 'one file of 1 GiB';
export const ONE_4_GIB = 'one file of 4 GiB';
export const MANY_LARGE = '32 x 16 MiB at once';
export const SMALL = '10 KiB requests, 16 in flight';
export const MANY_SMALL = '200 files of 10 KiB in a request';

const large: Sending = { body: new MultipartBody(1, 64 * MIB), requests: 1, atOnce: 1 };

export const WORKS: readonly Work[] = [
  {
    name: ONE_GIB,
    path: '/one',
    body: new MultipartBody(1, 1024 * MIB),
    requests: 1,
    atOnce: 1,
    warmUp: large,
    servers: SERVER_KINDS,
  },
  {
    name: MANY_LARGE,
    path: '/one',
    body: new MultipartBody(1, 16 * MIB),
    requests: 32,
    atOnce: 32,
    warmUp: { body: new MultipartBody(1, 16 * MIB), requests: 4, atOnce: 4 },
    servers: SERVER_KINDS,
  },
  {
    name: SMALL,
    path: '/one',
    body: SMALL_REQUESTS.body,
    requests: 2000,
    atOnce: 16,
    warmUp: { ...SMALL_REQUESTS, requests: 200 },
    servers: SERVER_KINDS,
  },
  {
    name: MANY_SMALL,
    path: '/many',
    body: new MultipartBody(200, 10 * KIB),
    requests: 50,
    atOnce: 1,
    warmUp: { body: new MultipartBody(200, 10 * KIB), requests: 10, atOnce: 1 },
    servers: SERVER_KINDS,
  },
  {
    // for its memory only, which multer's memory storage could not even pay
    name: ONE_4_GIB,
    path: '/one',
    body: new MultipartBody(1, 4 * 1024 * MIB),
    requests: 1,
    atOnce: 1,
    warmUp: large,
    servers: ['express-fast', 'fastify-fast'],
  },
];

/** Deleting few files does no harm to the runs after it; thousands make every later create on ext4 dearer for minutes. */
export const fewFiles = ({ body, requests }: Work): boolean => body.files * requests <= 64;
