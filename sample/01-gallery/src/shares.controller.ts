import { Body, Controller, Post } from '@nestjs/common';
import { InjectStorage, Storage } from 'nestjs-storages';
import { ShareRequestDto } from './requests.dto.js';

/** A link to one file for somebody who cannot come here. */
export interface Share {
  readonly url: string;
  /** ISO 8601. */
  readonly expiresAt: string;
}

@Controller('api/shares')
export class SharesController {
  constructor(@InjectStorage('files') private readonly files: Storage) {}

  /** Whoever has the link needs nothing else, until it expires. */
  @Post()
  async share(@Body() { key, expiresIn }: ShareRequestDto): Promise<Share> {
    await this.files.info(key);
    const expiresAt = new Date(Date.now() + expiresIn * 1000).toISOString();
    return { url: await this.files.url(key, { expiresIn }), expiresAt };
  }
}
