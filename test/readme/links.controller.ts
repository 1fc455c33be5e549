// #region links
import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { InjectStorage, type SignedUpload, type Storage } from 'nestjs-storages';
import { Albums } from './albums.js';

@Controller('albums/:album')
export class LinksController {
  constructor(
    @InjectStorage('photos') private readonly photos: Storage,
    private readonly albums: Albums,
  ) {}

  /** A link that can be handed out. */
  @Get(':photo/link')
  async link(@Param('album') album: string, @Param('photo') photo: string) {
    return { url: await this.photos.url(`${album}/${photo}`, { expiresIn: '7d' }) };
  }

  /** What a browser needs to send one photo, and no other. */
  @Post('upload')
  upload(@Param('album') album: string, @Body() { name }: { name: string }): Promise<SignedUpload> {
    return this.photos.uploadUrl(`${album}/${name}`, {
      expiresIn: '15m',
      contentType: 'image/jpeg',
      maxSize: 20 * 1024 * 1024,
      ifNoneMatch: '*', // creates only: used once
    });
  }

  @Post('close')
  close(@Param('album') album: string): void {
    this.albums.close(album);
  }
}
// #endregion
