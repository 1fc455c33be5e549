import { Module } from '@nestjs/common';
import { StorageModule } from 'nestjs-storages';
import { DocumentsController } from './documents.controller.js';
import { DocumentsService } from './documents.service.js';
import { Quota } from './quota.guard.js';
import { TenantController } from './tenant.controller.js';

/** Documents: all under `documents/` of the storage `files`, and there each tenant's under its own prefix. */
@Module({
  imports: [StorageModule.forFeature([{ name: 'documents', storage: 'files', prefix: 'documents/' }])],
  controllers: [DocumentsController, TenantController],
  providers: [DocumentsService, Quota],
  exports: [DocumentsService],
})
export class DocumentsModule {}
