// #region queue
import { Inject, Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { OnStorageEvent, type StorageEvent } from 'nestjs-storages';

/** Dates become texts on their way through Redis: a job takes what it needs, and no more. */
export interface ThumbnailJob {
  readonly storage: string;
  readonly key: string;
  readonly etag: string;
}

@Injectable()
export class ThumbnailJobs {
  // with @nestjs/bullmq: @InjectQueue('thumbnails')
  constructor(@Inject('thumbnails') private readonly queue: Pick<Queue<ThumbnailJob>, 'add'>) {}

  @OnStorageEvent('avatars', 'committed')
  async add({ storage, key, file }: StorageEvent<'committed'>): Promise<void> {
    if (!file.contentType.startsWith('image/')) return;
    await this.queue.add('thumbnail', { storage, key, etag: file.etag }, { attempts: 5, removeOnComplete: true });
  }
}
// #endregion
