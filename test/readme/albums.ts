// #region hook
import { GoneException, Injectable } from '@nestjs/common';
import type { PendingUpload, SignedUploadHook } from 'nestjs-storages';

@Injectable()
export class Albums implements SignedUploadHook {
  readonly #closed = new Set<string>();

  onUploaded(file: PendingUpload): void {
    const [album = ''] = file.key.split('/');
    // undoes the upload, and is its answer
    if (this.#closed.has(album)) throw new GoneException('The album is closed.');
  }

  close(album: string): void {
    this.#closed.add(album);
  }
}
// #endregion
