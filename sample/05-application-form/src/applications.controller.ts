import { randomUUID } from 'node:crypto';
import {
  Body,
  Controller,
  Post,
  Req,
  Res,
  UploadedFiles,
  UseFilters,
  UseInterceptors,
  ValidationPipe,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { InjectStorage, Storage, StorageFileFieldsInterceptor } from 'nestjs-storages';
import { ApplicationDto } from './application.dto.js';
import { type FormRequest, receiptPage, setPageHeaders, wantsPage } from './page.js';
import { type Receipt, receiptOf, type UploadedApplication } from './receipt.js';
import { RefusalFilter } from './refusal.filter.js';

const MIB = 1024 * 1024;

@Controller('applications')
@UseFilters(RefusalFilter)
export class ApplicationsController {
  constructor(
    @InjectStorage() private readonly applications: Storage,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** When the pipe runs, every file is stored; when it refuses the text fields, or this handler fails, they are removed again. */
  @Post()
  @UseInterceptors(
    StorageFileFieldsInterceptor(
      [
        { name: 'portrait', maxCount: 1 },
        { name: 'documents', maxCount: 10 },
      ],
      {
        checksum: 'sha256',
        metadata: (file) => ({ name: file.originalname }),
        limits: { totalSize: 60 * MIB },
        fields: {
          portrait: { storage: 'portraits', allowedTypes: 'image/*', limits: { fileSize: 5 * MIB } },
          documents: {
            storage: 'documents',
            allowedTypes: ['.pdf', 'image/*', 'text/plain'],
            limits: { fileSize: 25 * MIB },
            required: true,
          },
        },
      },
    ),
  )
  async apply(
    @UploadedFiles() files: UploadedApplication,
    @Body(new ValidationPipe({ transform: true, whitelist: true })) application: ApplicationDto,
    @Req() request: FormRequest,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<Receipt | string> {
    const receipt = receiptOf(application, files);
    await this.applications.put(`${randomUUID()}.json`, JSON.stringify(receipt));
    if (!wantsPage(request)) return receipt;
    setPageHeaders(this.adapterHost.httpAdapter, response);
    return receiptPage(receipt);
  }
}
