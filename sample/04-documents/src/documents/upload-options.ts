import { BadRequestException } from '@nestjs/common';
import type { IncomingFile, UploadContext, UploadOptions } from 'nestjs-storages';
import { tenantKey } from '../tenancy/tenant-storage.js';
import { tenantOf, tenantRequestOf } from '../tenancy/tenant-request.js';
import { isDocumentPath } from './document-path.js';
import { prefixOf } from './documents.service.js';
import { limitsOf } from './quota.guard.js';

/** What an upload of documents is: where they go, which are taken, and how much. */
export const DOCUMENT_UPLOAD = {
  storage: 'documents',
  required: true,
  // by what the bytes are, whatever the client says
  allowedTypes: ['.pdf', 'image/*', 'text/plain', 'text/csv', 'text/markdown'],
  checksum: 'sha256',
  limits: limitsOf,
  key: (file, context) => tenantKey(tenantOf(context), pathOf(file, context)),
} as const satisfies UploadOptions;

/** Pipes run behind interceptors, so the folder has to be looked at here. @throws BadRequestException */
function pathOf({ originalname }: IncomingFile, context: UploadContext): string {
  const { folder } = tenantRequestOf(context).query;
  if (folder !== undefined && !isDocumentPath(folder)) {
    throw new BadRequestException('folder must be a path such as contracts/2026');
  }
  const path = prefixOf(folder) + originalname;
  // an empty name, '..', or more than a path takes
  if (originalname === '' || !isDocumentPath(path)) throw new BadRequestException('A document needs a name.');
  return path;
}
