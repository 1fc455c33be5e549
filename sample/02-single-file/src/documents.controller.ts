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
  UploadedFiles,
  UseInterceptors,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { InjectStorage, type PendingUpload, Storage, StorageFilesInterceptor } from 'nestjs-storages';
import { attachment } from './attachment.js';
import { canonicalName, documentOf, type InboxDocument } from './document.js';
import { metadataOf, parseTags, tagsOf } from './tags.js';
import { TextPipe } from './text.pipe.js';

/** How many documents one answer lists; the page asks for the next ones. */
const PAGE = 50;
const MOST_AT_ONCE = 100;
/** Bytes. A limit of the page's own: the storage takes what the disk takes. */
const LARGEST = 10 * 1024 ** 3;

const text = new TextPipe();

@Controller('api/documents')
export class DocumentsController {
  constructor(@InjectStorage() private readonly inbox: Storage) {}

  /** The documents whose names begin with `prefix`, in the order of their names; those of them that have the tag. */
  @Get()
  async list(
    @Query('prefix', text) prefix = '',
    @Query('tag', text) tag = '',
    @Query('after', text) after?: string,
  ): Promise<{ documents: InboxDocument[]; next: string | null }> {
    const [wanted] = parseTags(tag);
    const documents: InboxDocument[] = [];
    const files = this.inbox.list(canonicalName(prefix), after === undefined ? {} : { startAfter: after });
    for await (const file of files) {
      // Only now is it known that there is a next page.
      if (documents.length === PAGE) return { documents, next: documents.at(-1)?.name ?? null };
      // SQLiteStorage lists metadata too, so that no file is asked for by itself.
      if (wanted === undefined || tagsOf(file).includes(wanted)) documents.push(documentOf(file));
    }
    return { documents, next: null };
  }

  /** All documents of the form are stored together, or none is. A name that is taken is refused, unless they may replace. */
  @Post()
  @UseInterceptors(
    StorageFilesInterceptor('documents', MOST_AT_ONCE, {
      required: true,
      limits: { fileSize: LARGEST },
      key: (file) => nameFor(file.originalname),
      metadata: (_file, context) => metadataOf(parseTags(queryOf(context.switchToHttp().getRequest(), 'tags'))),
      overwrite: (context) => queryOf(context.switchToHttp().getRequest(), 'replace') === 'true',
    }),
  )
  upload(@UploadedFiles() files: readonly PendingUpload[]): { name: string; size: number }[] {
    return files.map(({ key, size }) => ({ name: key, size }));
  }

  @Get(':name')
  async download(@Param('name') name: string, @Res({ passthrough: true }) response: Response): Promise<StreamableFile> {
    const body = await this.inbox.get(canonicalName(name));
    const { key, contentType, size, etag, lastModified } = body.file;
    response.set({ ETag: `"${etag}"`, 'Last-Modified': lastModified.toUTCString() });
    return attachment(response, { name: key, contentType, size, body });
  }

  @Delete(':name')
  @HttpCode(204)
  async delete(@Param('name') name: string): Promise<void> {
    await this.inbox.delete(canonicalName(name));
  }
}

function nameFor(originalname: string): string {
  if (originalname === '') throw new BadRequestException('A document needs a name.');
  return canonicalName(originalname);
}

/** The tags and the permission to replace stand in the address: they are known before the first byte of a document. */
function queryOf({ query }: Request, name: string): string {
  return text.transform(query[name]) ?? '';
}
