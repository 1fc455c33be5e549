// #region inject
import { Injectable } from '@nestjs/common';
import { InjectStorage, Storage, type StoredFile } from 'nestjs-storages';

@Injectable()
export class AvatarsService {
  constructor(
    @InjectStorage() readonly uploads: Storage, // the default storage
    @InjectStorage('avatars') readonly avatars: Storage,
  ) {}

  rename(user: string, to: string): Promise<StoredFile> {
    return this.avatars.move(`${user}.png`, `${to}.png`, { ifNoneMatch: '*' }); // never over somebody else's
  }
}
// #endregion
