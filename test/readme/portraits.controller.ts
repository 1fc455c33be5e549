// #region portraits
import { Controller, Get, Module, Param, Post, UploadedFile, UseInterceptors } from '@nestjs/common';
import {
  FileSystemStorage,
  InjectStorage,
  Storage,
  storedFile,
  StorageFileInterceptor,
  StorageModule,
  type PendingUpload,
  type StoredFileAnswer,
} from 'nestjs-storages';

@Controller('users/:id/portrait')
export class PortraitsController {
  constructor(@InjectStorage('portraits') private readonly portraits: Storage) {}

  // curl -F portrait=@ada.png http://localhost:3000/users/ada/portrait
  @Post()
  @UseInterceptors(
    StorageFileInterceptor('portrait', {
      storage: 'portraits',
      key: (_file, context) => context.switchToHttp().getRequest<{ params: { id: string } }>().params.id,
      overwrite: true, // the old one stays until this handler has succeeded
      allowedTypes: 'image/*', // by the bytes
      limits: { fileSize: 2 * 1024 * 1024 },
      required: true,
    }),
  )
  upload(@UploadedFile() file: PendingUpload): { key: string; size: number; type: string } {
    return { key: file.key, size: file.size, type: file.contentType };
  }

  @Get()
  show(@Param('id') id: string): StoredFileAnswer {
    // a browser keeps it for a minute, and asks then whether it is still the same: 304
    return storedFile(this.portraits, id, { cacheControl: 'private, max-age=60' });
  }
}

@Module({
  imports: [
    StorageModule.forRoot({
      storages: { portraits: new FileSystemStorage({ root: './var/portraits', keys: 'strict' }) },
    }),
  ],
  controllers: [PortraitsController],
})
export class PortraitsModule {}
// #endregion portraits
