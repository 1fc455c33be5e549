import { Body, Controller, Get, Param, Post, Put, UploadedFile, UploadedFiles, UseInterceptors } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  archive,
  InjectStorage,
  StorageBodyInterceptor,
  storedFile,
  StorageFileFieldsInterceptor,
  StorageFileInterceptor,
  StorageFilesInterceptor,
  type ArchiveAnswer,
  type PendingUpload,
  type Storage,
  type StoredFile,
  type StoredFileAnswer,
  type StoredUpload,
  type UploadOptions,
} from 'nestjs-storages';
import {
  ApiArchiveResponse,
  ApiStorageBody,
  ApiStorageFile,
  ApiStorageFileFields,
  ApiStorageFiles,
  ApiStoredFileResponse,
  PendingUploadDto,
  StoredFileDto,
  StoredUploadDto,
} from 'nestjs-storages/swagger';

export class CaptionDto {
  @ApiProperty({ type: String, description: 'Shown below the picture.' })
  caption = '';

  @ApiPropertyOptional({ isArray: true, type: String })
  tags?: string[];
}

export const PICTURE = {
  allowedTypes: ['image/*', '.pdf'],
  limits: { fileSize: 1000, minFileSize: 2 },
  required: true,
} satisfies UploadOptions;

export const DOCUMENTS = {
  key: (file) => `documents/${file.originalname}`,
  fields: { portrait: { allowedTypes: 'image/png' }, documents: { required: true } },
  checksum: { algorithm: 'sha256', header: 'X-Content-SHA256' },
} satisfies UploadOptions;

const NOTE = {
  overwrite: true,
  key: () => 'notes/note',
  required: true,
  limits: { fileSize: 500 },
} satisfies UploadOptions;

@Controller('files')
export class FilesController {
  constructor(@InjectStorage() private readonly files: Storage) {}

  @Post('picture')
  @ApiStorageFile({
    name: 'picture',
    upload: PICTURE,
    body: CaptionDto,
    response: StoredUploadDto,
    description: 'A picture.',
  })
  @UseInterceptors(StorageFileInterceptor('picture', PICTURE))
  picture(@UploadedFile() picture: StoredUpload, @Body() body: CaptionDto): StoredUpload {
    this.captions.push(body);
    return picture;
  }

  /** What the text fields were, for the tests. */
  readonly captions: CaptionDto[] = [];

  @ApiStorageFiles({ name: 'album', maxCount: 3, response: [StoredUploadDto] })
  @UseInterceptors(StorageFilesInterceptor('album', 3))
  @Post('album')
  album(@UploadedFiles() album: StoredUpload[]): StoredUpload[] {
    return album;
  }

  @ApiStorageFileFields([{ name: 'portrait', maxCount: 1 }, { name: 'documents' }], { upload: DOCUMENTS })
  @UseInterceptors(StorageFileFieldsInterceptor([{ name: 'portrait', maxCount: 1 }, { name: 'documents' }], DOCUMENTS))
  @Post('documents')
  documents(): void {
    // answers with nothing
  }

  @Put('note')
  @ApiStorageBody({ upload: NOTE, types: ['application/octet-stream', 'text/markdown'], response: PendingUploadDto })
  @UseInterceptors(StorageBodyInterceptor(NOTE))
  note(@UploadedFile() note: PendingUpload): PendingUpload {
    return note;
  }

  @Put('plain')
  @ApiOkResponse({ type: String, description: 'As the application says it.' })
  @ApiStorageBody({ errors: [415] })
  @UseInterceptors(StorageBodyInterceptor())
  plain(): string {
    return 'plain';
  }

  @Get('info/:key')
  @ApiOkResponse({ type: StoredFileDto })
  info(@Param('key') key: string): Promise<StoredFile> {
    return this.files.info(key);
  }

  @Get('link/:key')
  @ApiStoredFileResponse({ redirect: true })
  link(@Param('key') key: string): StoredFileAnswer {
    return storedFile(this.files, key, { redirect: 'signed' });
  }

  @Get('any/:key')
  @ApiStoredFileResponse({
    types: ['image/png', 'text/plain'],
    ranges: false,
    conditions: false,
    description: 'Whole.',
  })
  any(@Param('key') key: string): StoredFileAnswer {
    return storedFile(this.files, key);
  }

  @Get('zip')
  @ApiArchiveResponse()
  zip(): ArchiveAnswer {
    return archive(this.files, ['ada.png']);
  }

  @Post('zip')
  @ApiArchiveResponse({ status: 201, description: 'A selection.' })
  selection(@Body() { keys }: { readonly keys: string[] }): ArchiveAnswer {
    return archive(this.files, keys);
  }

  @Get(':key')
  @ApiStoredFileResponse()
  download(@Param('key') key: string): StoredFileAnswer {
    return storedFile(this.files, key);
  }
}
