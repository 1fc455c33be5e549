// #region upload
import { Controller, Get, Param, Post, UploadedFile, UseInterceptors } from '@nestjs/common';
import {
  InjectStorage,
  Storage,
  storedFile,
  StorageFileInterceptor,
  type StoredFileAnswer,
  type StoredUpload,
} from 'nestjs-storages';

@Controller('avatars')
export class AvatarsController {
  constructor(@InjectStorage('avatars') private readonly avatars: Storage) {}

  @Post(':user')
  @UseInterceptors(
    StorageFileInterceptor('file', {
      storage: 'avatars',
      required: true, // else a request without a file reaches the handler, with undefined
      limits: { fileSize: 5 * 1024 * 1024 },
      metadata: (file) => ({ name: file.originalname }),
    }),
  )
  upload(@UploadedFile() file: StoredUpload): { key: string; size: number; type: string } {
    // Here every byte is on the disk. When this handler throws, the file is removed again.
    return { key: file.key, size: file.size, type: file.contentType };
  }

  @Get(':key')
  download(@Param('key') key: string): StoredFileAnswer {
    return storedFile(this.avatars, key);
  }
}
// #endregion
