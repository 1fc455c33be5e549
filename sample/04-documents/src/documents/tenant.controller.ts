import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { archive, type ArchiveAnswer } from 'nestjs-storages';
import { ApiArchiveResponse } from 'nestjs-storages/swagger';
import { CurrentTenant } from '../tenancy/current-tenant.decorator.js';
import { ForTenants } from '../tenancy/for-tenants.decorator.js';
import type { Tenant } from '../tenancy/tenant.js';
import { FolderQuery, Usage } from './documents.dto.js';
import { DocumentsService, prefixOf } from './documents.service.js';

/** All that a tenant has. */
@Controller()
@ApiTags('Documents')
@ForTenants()
export class TenantController {
  constructor(private readonly documents: DocumentsService) {}

  /** A zip that is made while it is sent. */
  @Get('archive')
  @ApiArchiveResponse()
  archive(@CurrentTenant() tenant: Tenant, @Query() { folder }: FolderQuery): ArchiveAnswer {
    // a folder's own name is the default
    const filename = folder === undefined ? `${tenant.id}.zip` : undefined;
    return archive(this.documents.of(tenant), prefixOf(folder), { filename });
  }

  @Get('usage')
  @ApiOkResponse({ type: Usage })
  async usage(@CurrentTenant() tenant: Tenant): Promise<Usage> {
    return { ...(await this.documents.usage(tenant)), totalBytes: tenant.totalBytes };
  }
}
