// #region photos
import { Body, Controller, Get, Param, Post, UploadedFile, UseInterceptors } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { InjectStorage, Storage, storedFile, StorageFileInterceptor, type StoredUpload } from 'nestjs-storages';
import { ApiStorageFile, ApiStoredFileResponse, StoredUploadDto } from 'nestjs-storages/swagger';

export class CaptionDto {
  @ApiProperty({ type: String })
  caption?: string;
}

// the interceptor and the document are told by one object
const PHOTO = { required: true, allowedTypes: 'image/*', limits: { fileSize: 5 * 1024 * 1024 } };

@Controller('photos')
export class PhotosController {
  constructor(@InjectStorage() private readonly photos: Storage) {}

  @Post()
  @ApiStorageFile({ name: 'photo', upload: PHOTO, body: CaptionDto, response: StoredUploadDto })
  @UseInterceptors(StorageFileInterceptor('photo', PHOTO))
  upload(@UploadedFile() photo: StoredUpload, @Body() _caption: CaptionDto) {
    return photo;
  }

  @Get(':key')
  @ApiStoredFileResponse({ types: 'image/*' })
  download(@Param('key') key: string) {
    return storedFile(this.photos, key);
  }
}
// #endregion
