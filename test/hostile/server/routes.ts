import type { NestInterceptor, Type } from '@nestjs/common';
import {
  AnyStorageFilesInterceptor,
  StorageBodyInterceptor,
  StorageFileFieldsInterceptor,
  StorageFileInterceptor,
  StorageFilesInterceptor,
  type UploadLimits,
  type UploadOptions,
} from 'nestjs-storages';
import { IDLE_TIMEOUT_MS, VIRUS } from './agreed.js';
import type { HandlerKind } from './upload-controller.js';

/** A route that takes uploads. */
export interface Route {
  readonly path: string;
  readonly interceptor: Type<NestInterceptor>;
  readonly handler?: HandlerKind;
}

const one = (path: string, options?: UploadOptions, handler?: HandlerKind): Route => ({
  path,
  interceptor: StorageFileInterceptor('file', options),
  ...(handler === undefined ? undefined : { handler }),
});

const limited = (name: keyof UploadLimits, value: number): Route =>
  one(`/limit/${name}`, { limits: { [name]: value } });

/** The routes of a server with our interceptors; `nest-routes.ts` has the same ones with Nest's. */
export function libraryRoutes(): Route[] {
  return [
    one('/one'),
    one('/required', { required: true }),
    one('/chosen', { key: () => 'chosen.bin' }),
    one('/named', { key: (file) => `named/${file.originalname}` }),
    one('/late', { commit: 'afterHandler' }),
    one('/slow', {}, 'slow'),
    one('/slow-late', { commit: 'afterHandler' }, 'slow'),
    one('/throws', {}, 'throws'),
    one('/idle', { idleTimeout: IDLE_TIMEOUT_MS }),
    one('/images', { allowedTypes: 'image/*' }),
    one('/text', { allowedTypes: 'text/plain' }),
    one('/pdf', { allowedTypes: '.pdf' }),
    one('/checksum', { checksum: { algorithm: 'sha256', field: 'sum' } }),
    one('/checksum-header', { checksum: { algorithm: 'sha256', header: 'X-Sum' } }),
    one('/checksum-required', { checksum: { algorithm: 'sha256', field: 'sum', required: true } }),
    one('/scanned', {
      scan: async ({ bytes }) => {
        const chunks: Buffer[] = [];
        for await (const chunk of bytes) chunks.push(chunk as Buffer);
        return !Buffer.concat(chunks).includes(VIRUS);
      },
    }),
    limited('fileSize', 1000),
    limited('minFileSize', 100),
    limited('fields', 3),
    limited('parts', 4),
    limited('fieldNameSize', 10),
    limited('fieldSize', 100),
    limited('fieldsSize', 200),
    limited('fieldNestingDepth', 3),
    limited('fieldArrayIndexLimit', 10),
    limited('headerPairs', 5),
    { path: '/limit/files', interceptor: StorageFilesInterceptor('file', 5, { limits: { files: 2 } }) },
    { path: '/limit/totalSize', interceptor: StorageFilesInterceptor('file', 5, { limits: { totalSize: 2000 } }) },
    { path: '/files', interceptor: StorageFilesInterceptor('file', 3) },
    {
      path: '/fields',
      interceptor: StorageFileFieldsInterceptor([
        { name: 'avatar', maxCount: 1 },
        { name: 'cv', maxCount: 2 },
      ]),
    },
    { path: '/any', interceptor: AnyStorageFilesInterceptor() },
    { path: '/body', interceptor: StorageBodyInterceptor({ idleTimeout: IDLE_TIMEOUT_MS }) },
    { path: '/body-small', interceptor: StorageBodyInterceptor({ limits: { fileSize: 1000 } }) },
  ];
}
