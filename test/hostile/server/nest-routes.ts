import type { NestInterceptor, Type } from '@nestjs/common';
import type { Platform } from './protocol.js';
import type { Route } from './routes.js';

/** What Nest's own interceptors can be told of what these routes need; those of both platforms take the same. */
interface NestUploads {
  FileInterceptor(field: string, options: NestUploadOptions): Type<NestInterceptor>;
  FilesInterceptor(field: string, maxCount: number | undefined, options: NestUploadOptions): Type<NestInterceptor>;
  FileFieldsInterceptor(
    fields: { readonly name: string; readonly maxCount?: number }[],
    options: NestUploadOptions,
  ): Type<NestInterceptor>;
  AnyFilesInterceptor(options: NestUploadOptions): Type<NestInterceptor>;
}

interface NestUploadOptions {
  readonly dest: string;
  readonly limits?: Readonly<Record<string, number>>;
}

/** The routes of `routes.ts` as somebody writes them with Nest alone: its limits where it has them, files on the disk. */
export async function nestRoutes(platform: Platform, folder: string): Promise<Route[]> {
  const nest: NestUploads =
    platform === 'express'
      ? await import('@nestjs/platform-express')
      : await import('@nestjs/platform-fastify/multipart');
  // @fastify/multipart allows 1 MiB unless told otherwise; the cases are the same for all
  const sizes = { fileSize: 1024 * 1024 * 1024 };
  const one = (limits: Readonly<Record<string, number>> = {}): Type<NestInterceptor> =>
    nest.FileInterceptor('file', { dest: folder, limits: { ...sizes, ...limits } });
  const several = (limits: Readonly<Record<string, number>> = {}): Type<NestInterceptor> =>
    nest.FilesInterceptor('file', 5, { dest: folder, limits: { ...sizes, ...limits } });
  return [
    { path: '/one', interceptor: one() },
    { path: '/required', interceptor: one() },
    { path: '/chosen', interceptor: one() },
    { path: '/named', interceptor: one() },
    { path: '/late', interceptor: one() },
    { path: '/slow', interceptor: one(), handler: 'slow' },
    { path: '/slow-late', interceptor: one(), handler: 'slow' },
    { path: '/throws', interceptor: one(), handler: 'throws' },
    { path: '/limit/fileSize', interceptor: one({ fileSize: 1000 }) },
    { path: '/limit/fields', interceptor: one({ fields: 3 }) },
    { path: '/limit/parts', interceptor: one({ parts: 4 }) },
    { path: '/limit/fieldNameSize', interceptor: one({ fieldNameSize: 10 }) },
    { path: '/limit/fieldSize', interceptor: one({ fieldSize: 100 }) },
    { path: '/limit/files', interceptor: several({ files: 2 }) },
    { path: '/limit/fieldNestingDepth', interceptor: one({ fieldNestingDepth: 3 }) },
    { path: '/limit/fieldArrayIndexLimit', interceptor: one({ fieldArrayIndexLimit: 10 }) },
    { path: '/limit/headerPairs', interceptor: one({ headerPairs: 5 }) },
    { path: '/limit/minFileSize', interceptor: one() },
    { path: '/limit/totalSize', interceptor: several() },
    { path: '/limit/fieldsSize', interceptor: one() },
    { path: '/files', interceptor: nest.FilesInterceptor('file', 3, { dest: folder, limits: sizes }) },
    {
      path: '/fields',
      interceptor: nest.FileFieldsInterceptor(
        [
          { name: 'avatar', maxCount: 1 },
          { name: 'cv', maxCount: 2 },
        ],
        { dest: folder, limits: sizes },
      ),
    },
    { path: '/any', interceptor: nest.AnyFilesInterceptor({ dest: folder, limits: sizes }) },
    { path: '/images', interceptor: one() },
    { path: '/text', interceptor: one() },
    { path: '/pdf', interceptor: one() },
    { path: '/checksum', interceptor: one() },
    { path: '/checksum-header', interceptor: one() },
    { path: '/checksum-required', interceptor: one() },
    { path: '/scanned', interceptor: one() },
    { path: '/idle', interceptor: one() },
  ];
}
