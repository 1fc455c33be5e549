import { Body, Controller, HttpCode, Post, ValidationPipe } from '@nestjs/common';
import { FileNotFoundError, InjectStorage, type SignedUpload, Storage, type StoredFile } from 'nestjs-storages';
import { fileItem, type FileItem } from './file-item.js';
import { INCOMING, newKey, readKey } from './file-keys.js';
import { UploadedDto, UploadRequestDto } from './upload-request.dto.js';

const body = new ValidationPipe({ whitelist: true });

/** Straight into the bucket: the browser asks where it may put, puts, and says that it has. No byte of a file passes through here. */
@Controller('api/uploads')
export class UploadsController {
  constructor(@InjectStorage() private readonly storage: Storage) {}

  /** A URL for exactly this file: for its type, for its length, and for a quarter of an hour. */
  @Post()
  async begin(
    @Body(body) { name, type, size }: UploadRequestDto,
  ): Promise<{ readonly key: string; readonly upload: SignedUpload }> {
    const key = newKey(INCOMING, name);
    const contentType = type === '' ? undefined : type;
    return { key, upload: await this.storage.uploadUrl(key, { expiresIn: '15m', size, contentType }) };
  }

  /** Moves what was put to where nobody has a URL to replace it. To say it twice, after a lost answer, is no mistake: what is there stays. */
  @Post('done')
  @HttpCode(200)
  async finish(@Body(body) { key }: UploadedDto): Promise<FileItem> {
    const { final } = readKey(key);
    return fileItem((await this.#find(final)) ?? (await this.storage.move(key, final)));
  }

  async #find(key: string): Promise<StoredFile | undefined> {
    try {
      return await this.storage.info(key);
    } catch (error) {
      if (error instanceof FileNotFoundError) return undefined;
      throw error;
    }
  }
}
