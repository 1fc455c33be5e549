// #region multer
import { Controller, Post, UploadedFile, UseInterceptors } from '@nestjs/common';
import { InjectStorage, Storage, StorageFileInterceptor, type StoredUpload } from 'nestjs-storages';

@Controller('photos')
export class PhotosController {
  constructor(@InjectStorage('photos') private readonly photos: Storage) {}

  @Post()
  @UseInterceptors(
    StorageFileInterceptor('photo', {
      storage: 'photos',
      allowedTypes: 'image/*', // by the bytes
      limits: { fileSize: 5 * 1024 * 1024 },
      key: (file) => `${new Date().getFullYear()}/${crypto.randomUUID()}${file.extension}`,
    }),
  )
  async upload(@UploadedFile() photo: StoredUpload): Promise<{ key: string; name: string; firstByte: number }> {
    const bytes = await this.photos.getBytes(photo.key); // where file.buffer was used
    return { key: photo.key, name: photo.originalname, firstByte: bytes[0] ?? 0 };
  }
}
// #endregion
