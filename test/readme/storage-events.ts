// #region events
import { Injectable } from '@nestjs/common';
import { OnStorageEvent, type StorageEvent } from 'nestjs-storages';

@Injectable()
export class AvatarIndex {
  readonly keys = new Set<string>();

  @OnStorageEvent('avatars', 'committed')
  afterCommit({ key }: StorageEvent<'committed'>): void {
    this.keys.add(key);
  }

  @OnStorageEvent('avatars', 'moved')
  afterMove({ key, from }: StorageEvent<'moved'>): void {
    this.keys.delete(from);
    this.keys.add(key);
  }

  @OnStorageEvent('avatars', 'deleted')
  afterDelete({ key }: StorageEvent<'deleted'>): void {
    this.keys.delete(key);
  }
}
// #endregion
