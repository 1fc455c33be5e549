// #region raw
import { Controller, Put, UploadedFile, UseInterceptors } from '@nestjs/common';
import { StorageBodyInterceptor, type PendingUpload } from 'nestjs-storages';

@Controller('notes')
export class NotesController {
  // curl -T plan.pdf http://localhost:3000/notes/plan.pdf
  @Put(':name')
  @UseInterceptors(
    StorageBodyInterceptor({
      key: (_file, context) => `notes/${context.switchToHttp().getRequest<{ params: { name: string } }>().params.name}`,
      overwrite: true, // the old note stays until this handler has succeeded
      required: true,
    }),
  )
  put(@UploadedFile() file: PendingUpload): { key: string; size: number } {
    return { key: file.key, size: file.size };
  }
}
// #endregion
