import {
  Controller,
  Get,
  Header,
  Inject,
  Post,
  Put,
  Req,
  UploadedFile,
  UseGuards,
  UseInterceptors,
  VERSION_NEUTRAL,
  type Type,
} from '@nestjs/common';
import { storedFile, type StoredFileAnswer } from '../download/index.js';
import { rawRequestOf } from '../platform/node-request.js';
import type { WildcardRoute } from '../platform/wildcard-path.js';
import type { StoredUpload } from '../upload/index.js';
import { SignedBodyInterceptor, SignedFormInterceptor } from './signed-upload.js';
import { signedRequestOf, SignedRoutes } from './signed-routes.js';
import { SignedUrlGuard } from './signed-url.guard.js';
import { UploadedAnswerInterceptor, UploadedHookInterceptor } from './uploaded.interceptors.js';

/** The routes of signed URLs: a controller as any other, so that the application's guards, interceptors and filters hold for it. */
export function signedUrlController(path: string, { paths }: WildcardRoute): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(SignedUrlGuard)
  class SignedUrlController {
    constructor(@Inject(SignedRoutes) private readonly routes: SignedRoutes) {}

    /** HEAD too. */
    @Get(paths)
    // the URL is the permission: no page that is opened from it may pass it on
    @Header('Referrer-Policy', 'no-referrer')
    get(@Req() carrier: object): StoredFileAnswer {
      const { storage, key, disposition, contentType, once } = signedRequestOf(rawRequestOf(carrier));
      return storedFile(this.routes.storageOf(storage), key, {
        contentDisposition: disposition,
        contentType,
        // a cache would give it a second time
        cacheControl: once === undefined ? undefined : 'private, no-store',
        // whoever signed both has said by name that this type is to be shown
        inlineTypes: contentType !== undefined && disposition !== undefined ? [contentType] : [],
      });
    }

    @Put(paths)
    @UseInterceptors(UploadedAnswerInterceptor, SignedBodyInterceptor, UploadedHookInterceptor)
    put(@UploadedFile() file: StoredUpload): StoredUpload {
      return file;
    }

    @Post(paths)
    @UseInterceptors(UploadedAnswerInterceptor, SignedFormInterceptor, UploadedHookInterceptor)
    post(@UploadedFile() file: StoredUpload): StoredUpload {
      return file;
    }
  }
  return SignedUrlController;
}
