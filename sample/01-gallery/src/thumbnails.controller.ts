import { Body, Controller, Get, Header, Param, Post } from '@nestjs/common';
import { InjectStorage, type SignedUpload, Storage, storedFile, type StoredFileAnswer } from 'nestjs-storages';
import { KeyPipe, thumbnailKey } from './file-key.js';
import { FileDto } from './requests.dto.js';

/** Bytes. */
const LARGEST_THUMBNAIL = 256 * 1024;

/** Small pictures, made by the browser that sends a large one, and stored beside it. */
@Controller('api/thumbnails')
export class ThumbnailsController {
  constructor(
    @InjectStorage('files') private readonly files: Storage,
    @InjectStorage('thumbnails') private readonly thumbnails: Storage,
  ) {}

  /** A URL for the thumbnail of a file that is there; of one that is not, it is 404. */
  @Post()
  async begin(@Body() { key }: FileDto): Promise<SignedUpload> {
    const file = await this.files.info(key);
    return this.thumbnails.uploadUrl(thumbnailKey(file.key), {
      expiresIn: '5m',
      contentType: 'image/webp',
      maxSize: LARGEST_THUMBNAIL,
      ifNoneMatch: '*',
    });
  }

  /** The thumbnail, or the picture itself where no browser has made one: it was sent by curl, or copied into the folder by hand. */
  @Get('*key')
  @Header('Cross-Origin-Resource-Policy', 'same-origin')
  async show(@Param('key', KeyPipe) key: string): Promise<StoredFileAnswer> {
    const small = thumbnailKey(key);
    const options = { cacheControl: 'private, max-age=3600' };
    if (await this.thumbnails.exists(small)) return storedFile(this.thumbnails, small, options);
    return storedFile(this.files, key, options);
  }
}
