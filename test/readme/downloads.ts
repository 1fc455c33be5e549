import { Body, Controller, Get, HttpCode, Injectable, Module, Param, Post, type CanActivate } from '@nestjs/common';
import { archive, InjectStorage, Storage, storedFile, StorageModule } from 'nestjs-storages';

@Injectable()
export class MembersGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Module({ providers: [MembersGuard], exports: [MembersGuard] })
export class MembersModule {}

// #region module
@Module({
  imports: [
    StorageModule.serveStorage({
      path: 'photos',
      storage: 'uploads',
      prefix: 'photos/',
      guards: [MembersGuard],
      imports: [MembersModule],
    }),
  ],
})
export class PhotosModule {}
// #endregion

export class SelectionDto {
  keys: string[] = [];
}

@Controller('reports')
export class ReportsController {
  constructor(@InjectStorage('uploads') private readonly files: Storage) {}

  // #region file
  @Get(':key')
  download(@Param('key') key: string) {
    return storedFile(this.files, key, { disposition: 'attachment', filename: 'Übersicht.pdf' });
  }
  // #endregion

  // #region archive
  @Post('selection.zip')
  @HttpCode(200)
  selection(@Body() { keys }: SelectionDto) {
    return archive(this.files, keys, { filename: 'selection.zip' });
  }
  // #endregion
}
