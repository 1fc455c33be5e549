import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  UploadedFiles,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiTags,
} from '@nestjs/swagger';
import { storedFile, StorageFilesInterceptor, type StoredFileAnswer, type StoredUpload } from 'nestjs-storages';
import { ApiStorageFiles, ApiStoredFileResponse, StorageErrorDto } from 'nestjs-storages/swagger';
import { CurrentTenant } from '../tenancy/current-tenant.decorator.js';
import { ForTenants } from '../tenancy/for-tenants.decorator.js';
import type { Tenant } from '../tenancy/tenant.js';
import { pathInView } from '../tenancy/tenant-storage.js';
import { DocumentPathPipe } from './document-path.js';
import {
  documentItem,
  DocumentItem,
  DocumentPage,
  FolderQuery,
  MoveBody,
  PageQuery,
  ShareBody,
  ShareLink,
} from './documents.dto.js';
import { DocumentsService } from './documents.service.js';
import { Quota, QuotaGuard } from './quota.guard.js';
import { DOCUMENT_UPLOAD } from './upload-options.js';

const MOST_AT_ONCE = 10;

const NOT_FOUND = { type: StorageErrorDto, description: 'There is no such document.' };
const TAKEN = { type: StorageErrorDto, description: 'There is a document of that path already.' };

@Controller('documents')
@ApiTags('Documents')
@ForTenants()
export class DocumentsController {
  constructor(
    private readonly documents: DocumentsService,
    private readonly quota: Quota,
  ) {}

  /** All documents of the form are stored, or none is. A path that is taken is refused. */
  @Post()
  @UseGuards(QuotaGuard)
  @ApiStorageFiles({ maxCount: MOST_AT_ONCE, upload: DOCUMENT_UPLOAD, response: [DocumentItem] })
  @UseInterceptors(StorageFilesInterceptor('files', MOST_AT_ONCE, DOCUMENT_UPLOAD))
  async upload(
    @CurrentTenant() tenant: Tenant,
    @Query() _folder: FolderQuery,
    @UploadedFiles() files: readonly StoredUpload[],
  ): Promise<DocumentItem[]> {
    await this.quota.check(tenant);
    return files.map((file) => documentItem({ ...file, key: pathInView(tenant, file.key) }));
  }

  /** One level of the tree, in the order of the names. */
  @Get()
  @ApiOkResponse({ type: DocumentPage })
  list(@CurrentTenant() tenant: Tenant, @Query() page: PageQuery): Promise<DocumentPage> {
    return this.documents.page(tenant, page);
  }

  /** Ranges, conditions and headers come from the library. */
  @Get(':path')
  @ApiStoredFileResponse()
  download(@CurrentTenant() tenant: Tenant, @Param('path', DocumentPathPipe) path: string): StoredFileAnswer {
    return storedFile(this.documents.of(tenant), path);
  }

  /** Renames a document, or moves it into another folder. */
  @Patch(':path')
  @ApiOkResponse({ type: DocumentItem })
  @ApiNotFoundResponse(NOT_FOUND)
  @ApiConflictResponse(TAKEN)
  move(
    @CurrentTenant() tenant: Tenant,
    @Param('path', DocumentPathPipe) path: string,
    @Body() { path: to }: MoveBody,
  ): Promise<DocumentItem> {
    return this.documents.move(tenant, path, to);
  }

  @Delete(':path')
  @HttpCode(204)
  @ApiNoContentResponse()
  @ApiNotFoundResponse(NOT_FOUND)
  delete(@CurrentTenant() tenant: Tenant, @Param('path', DocumentPathPipe) path: string): Promise<void> {
    return this.documents.delete(tenant, path);
  }

  @Post(':path/share')
  @ApiCreatedResponse({ type: ShareLink })
  @ApiNotFoundResponse(NOT_FOUND)
  share(
    @CurrentTenant() tenant: Tenant,
    @Param('path', DocumentPathPipe) path: string,
    @Body() { expiresIn }: ShareBody,
  ): Promise<ShareLink> {
    return this.documents.share(tenant, path, expiresIn);
  }
}
