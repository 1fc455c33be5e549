import { Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiNotFoundResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { storedFile, type StoredFileAnswer } from 'nestjs-storages';
import { ApiStoredFileResponse, StorageErrorDto } from 'nestjs-storages/swagger';
import { DocumentPathPipe } from '../documents/document-path.js';
import { DocumentItem } from '../documents/documents.dto.js';
import { CurrentTenant } from '../tenancy/current-tenant.decorator.js';
import { ForTenants } from '../tenancy/for-tenants.decorator.js';
import type { Tenant } from '../tenancy/tenant.js';
import { ReportsService } from './reports.service.js';

@Controller('reports')
@ApiTags('Reports')
@ForTenants()
export class ReportsController {
  constructor(private readonly reports: ReportsService) {}

  /** Makes an inventory of all documents, as CSV. */
  @Post()
  @ApiCreatedResponse({ type: DocumentItem })
  create(@CurrentTenant() tenant: Tenant): Promise<DocumentItem> {
    return this.reports.create(tenant);
  }

  /** The newest first. */
  @Get()
  @ApiOkResponse({ type: [DocumentItem] })
  list(@CurrentTenant() tenant: Tenant): Promise<DocumentItem[]> {
    return this.reports.list(tenant);
  }

  @Get(':path')
  @ApiStoredFileResponse({ types: 'text/csv' })
  download(@CurrentTenant() tenant: Tenant, @Param('path', DocumentPathPipe) path: string): StoredFileAnswer {
    return storedFile(this.reports.of(tenant), path, { disposition: 'attachment', filename: 'inventory.csv' });
  }

  @Delete(':path')
  @HttpCode(204)
  @ApiNoContentResponse()
  @ApiNotFoundResponse({ type: StorageErrorDto, description: 'There is no such report.' })
  delete(@CurrentTenant() tenant: Tenant, @Param('path', DocumentPathPipe) path: string): Promise<void> {
    return this.reports.of(tenant).delete(path);
  }
}
