import {
  BadRequestException,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Post,
  Query,
  Res,
  type StreamableFile,
  UploadedFile,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import type { Response } from 'express';
import {
  FileNotFoundError,
  InjectStorage,
  Storage,
  type StoredFile,
  StorageFileInterceptor,
  type StoredUpload,
} from 'nestjs-storages';
import { fileAnswer } from './file-answer.js';
import { type GalleryItem, galleryItemOf, NAME_FIELD } from './gallery-item.js';
import { SameSiteGuard } from './same-site.guard.js';

/** How many files one answer lists; the page asks for the next ones. */
const PAGE = 200;
/** Bytes. A limit of the page's own: the storage takes what the disk takes. */
const LARGEST_FILE = 50 * 1024 ** 3;

@Controller('api')
export class GalleryController {
  constructor(@InjectStorage() private readonly storage: Storage) {}

  @Get('files')
  async list(@Query('after') after?: string): Promise<{ items: GalleryItem[]; next: string | null }> {
    const listed: StoredFile[] = [];
    for await (const file of this.storage.list('', {
      limit: PAGE,
      ...(after === undefined ? {} : { startAfter: after }),
    })) {
      listed.push(file);
    }
    const items = await Promise.all(listed.map((file) => this.item(file.key)));
    return {
      items: items.filter((item) => item !== undefined),
      next: listed.length === PAGE ? (listed.at(-1)?.key ?? null) : null,
    };
  }

  /** The bytes go from the socket into the storage; when the handler runs, the file is stored. */
  @Post('files')
  @UseGuards(SameSiteGuard)
  @UseInterceptors(
    StorageFileInterceptor('file', {
      required: true,
      limits: { fileSize: LARGEST_FILE },
      metadata: (file) => ({ [NAME_FIELD]: file.originalname }),
    }),
  )
  upload(@UploadedFile() file: StoredUpload): GalleryItem {
    return galleryItemOf(file);
  }

  @Get('files/*key')
  download(@Param('key') key: unknown, @Res({ passthrough: true }) response: Response): Promise<StreamableFile> {
    return fileAnswer(this.storage, keyOf(key), 'attachment', response);
  }

  @Get('previews/*key')
  preview(@Param('key') key: unknown, @Res({ passthrough: true }) response: Response): Promise<StreamableFile> {
    return fileAnswer(this.storage, keyOf(key), 'inline', response);
  }

  @Delete('files/*key')
  @HttpCode(204)
  @UseGuards(SameSiteGuard)
  async delete(@Param('key') key: unknown): Promise<void> {
    await this.storage.delete(keyOf(key));
  }

  /** A listing tells key, size and date; type and metadata are told by `info`. A file may go between the two. */
  private async item(key: string): Promise<GalleryItem | undefined> {
    try {
      return galleryItemOf(await this.storage.info(key));
    } catch (error) {
      if (error instanceof FileNotFoundError) return undefined;
      throw error;
    }
  }
}

/** A wildcard of Express 5 arrives as its decoded parts. */
function keyOf(parts: unknown): string {
  if (!Array.isArray(parts)) throw new BadRequestException('The address names no file.');
  return parts.map(String).join('/');
}
