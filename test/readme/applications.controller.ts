// #region several
import { Body, Controller, Post, UploadedFiles, UseInterceptors } from '@nestjs/common';
import { StorageFileFieldsInterceptor, type StoredUpload } from 'nestjs-storages';

const MIB = 1024 * 1024;

@Controller('applications')
export class ApplicationsController {
  @Post()
  @UseInterceptors(
    StorageFileFieldsInterceptor([{ name: 'portrait', maxCount: 1 }, { name: 'documents' }], {
      limits: { files: 11, totalSize: 100 * MIB },
      fields: {
        portrait: { storage: 'avatars', allowedTypes: 'image/*', limits: { fileSize: 5 * MIB } },
        documents: { allowedTypes: ['.pdf', 'text/plain'], checksum: 'sha256', required: true },
      },
    }),
  )
  apply(
    @UploadedFiles() files: { portrait?: StoredUpload[]; documents: StoredUpload[] },
    @Body() applicant: { name?: string; address?: { city?: string } }, // from the fields name and address[city]
  ): object {
    // both storages have all of the files; when anything had failed, neither would have any
    return {
      from: applicant.address?.city,
      portrait: files.portrait?.[0]?.key,
      documents: files.documents.map(({ originalname, checksum }) => [originalname, checksum?.sha256]),
    };
  }
}
// #endregion
