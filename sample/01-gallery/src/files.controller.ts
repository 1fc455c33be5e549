import {
  BadRequestException,
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Param,
  Post,
  Query,
  UploadedFile,
  UseInterceptors,
} from '@nestjs/common';
import {
  archive,
  type ArchiveAnswer,
  InjectStorage,
  Storage,
  storedFile,
  type StoredFile,
  type StoredFileAnswer,
  StorageFileInterceptor,
  type StoredUpload,
} from 'nestjs-storages';
import { KeyPipe, nameOf, newKey, thumbnailKey } from './file-key.js';
import { LARGEST_FILE } from './uploads.controller.js';

/** How many files one answer lists; the page asks for the next ones. */
const PAGE = 60;

/** One page of the listing, and where the next one starts: `null` at the end. */
export interface FilePage {
  readonly files: readonly StoredFile[];
  readonly next: string | null;
}

@Controller('api')
export class FilesController {
  constructor(
    @InjectStorage('files') private readonly files: Storage,
    @InjectStorage('thumbnails') private readonly thumbnails: Storage,
  ) {}

  /** The storage goes to `startAfter` at once, so the hundredth page costs what the first one does. */
  @Get('files')
  async list(@Query('after') startAfter?: string): Promise<FilePage> {
    // One more than is shown tells whether there are more.
    const files: StoredFile[] = [];
    for await (const file of this.files.list('', { limit: PAGE + 1, startAfter })) files.push(file);
    const shown = files.slice(0, PAGE);
    return { files: shown, next: files.length > PAGE ? (shown.at(-1)?.key ?? null) : null };
  }

  /** For programs (`curl -F file=@...`). The bytes go from the socket into the storage; when the handler runs, the file is stored. */
  @Post('files')
  @UseInterceptors(
    StorageFileInterceptor('file', {
      storage: 'files',
      required: true,
      limits: { fileSize: LARGEST_FILE },
      key: (file) => newKey(file.originalname),
    }),
  )
  upload(@UploadedFile() file: StoredUpload): StoredUpload {
    return file;
  }

  /**
   * Ranges (a video's seeking), conditions and the headers come from the library. What a visitor uploaded is a stranger's file: only types in
   * which nothing can run are shown in place, all others are downloads.
   */
  @Get('files/*key')
  @Header('Cross-Origin-Resource-Policy', 'same-origin')
  file(@Param('key', KeyPipe) key: string): StoredFileAnswer {
    return storedFile(this.files, key);
  }

  @Delete('files/*key')
  @HttpCode(204)
  async delete(@Param('key', KeyPipe) key: string): Promise<void> {
    await this.files.delete(key);
    await this.thumbnails.delete(thumbnailKey(key), { force: true });
  }

  /** A form of checkboxes, as the browser posts it; the answer is made while it is sent. */
  @Post('archive')
  @HttpCode(200)
  zip(@Body('keys') given: unknown): ArchiveAnswer {
    const keys: unknown[] = [given].flat();
    if (!keys.every((key) => typeof key === 'string')) throw new BadRequestException('Which files?');
    return archive(this.files, keys, { filename: 'gallery.zip', name: (file) => nameOf(file.key) });
  }
}
