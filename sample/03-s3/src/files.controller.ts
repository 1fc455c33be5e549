import { BadRequestException, Controller, Get, Post, Query, UploadedFiles, UseInterceptors } from '@nestjs/common';
import {
  InjectStorage,
  type PendingUpload,
  Storage,
  storedFile,
  type StoredFileAnswer,
  StorageFilesInterceptor,
} from 'nestjs-storages';
import { fileItem, type FileItem } from './file-item.js';
import { FILES, newKey, readKey } from './file-keys.js';
import { LARGEST } from './upload-request.dto.js';

/** How many files the page shows. */
const MOST_SHOWN = 200;

@Controller('api/files')
export class FilesController {
  constructor(@InjectStorage() private readonly storage: Storage) {}

  @Get()
  async list(): Promise<FileItem[]> {
    const files: FileItem[] = [];
    for await (const file of this.storage.list(FILES, { limit: MOST_SHOWN })) files.push(fileItem(file));
    return files;
  }

  /** Through the server: the bytes stream on into the bucket, and all files of the form are stored, or none is. */
  @Post()
  @UseInterceptors(
    StorageFilesInterceptor('files', 20, {
      required: true,
      limits: { fileSize: LARGEST },
      key: (file) => newKey(FILES, file.originalname),
      // there is nothing under a new key, and to make sure of it for objects of several parts is more than some servers can (Ceph 16)
      overwrite: true,
    }),
  )
  upload(@UploadedFiles() files: readonly PendingUpload[]): FileItem[] {
    return files.map(fileItem);
  }

  /** Sends the browser to the bucket, with a URL that gives this file under its name for five minutes. */
  @Get('download')
  download(@Query('key') key: unknown): StoredFileAnswer {
    if (typeof key !== 'string') throw new BadRequestException('Which file?');
    const { name, final } = readKey(key);
    return storedFile(this.storage, final, { redirect: 'signed', disposition: 'attachment', filename: name });
  }
}
