// #region feature
import { Module } from '@nestjs/common';
import { StorageModule } from 'nestjs-storages';
import { AvatarsController } from './avatars.controller.js';
import { AvatarsService } from './avatars.service.js';

@Module({
  // 'avatars' is a view of 'uploads': its key ada.png is avatars/ada.png there, and it sees nothing else
  imports: [StorageModule.forFeature([{ name: 'avatars', storage: 'uploads', prefix: 'avatars/' }])],
  controllers: [AvatarsController],
  providers: [AvatarsService],
})
export class AvatarsModule {}
// #endregion
