import { Body, Controller, Post } from '@nestjs/common';
import { InjectStorage, type SignedUpload, Storage } from 'nestjs-storages';
import { newKey } from './file-key.js';
import { UploadRequestDto } from './requests.dto.js';

/** Bytes. A limit of the page's own: the storage takes what the disk takes. */
export const LARGEST_FILE = 50 * 1024 ** 3;

/** The browser asks where it may put a file, and puts it there, with progress. */
@Controller('api/uploads')
export class UploadsController {
  constructor(@InjectStorage('files') private readonly files: Storage) {}

  /** A URL for one file, once: it creates and never replaces. To begin within a quarter of an hour is enough. */
  @Post()
  async begin(@Body() { name }: UploadRequestDto): Promise<{ readonly key: string; readonly upload: SignedUpload }> {
    const key = newKey(name);
    const bounds = { expiresIn: '15m', maxSize: LARGEST_FILE, ifNoneMatch: '*' } as const;
    return { key, upload: await this.files.uploadUrl(key, bounds) };
  }
}
