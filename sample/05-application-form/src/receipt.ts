import type { StoredUpload } from 'nestjs-storages';
import type { ApplicationDto } from './application.dto.js';

export interface UploadedApplication {
  readonly portrait?: readonly StoredUpload[];
  readonly documents: readonly StoredUpload[];
}

/** What an applicant is told, and what is kept of an application beside its files. */
export interface Receipt {
  readonly name: string;
  readonly city: string;
  readonly languages: readonly string[];
  readonly files: readonly {
    readonly field: string;
    readonly key: string;
    /** The name the file had on the applicant's disk. */
    readonly name: string;
    /** Bytes. */
    readonly size: number;
    readonly sha256: string;
  }[];
}

export function receiptOf({ name, address, languages }: ApplicationDto, files: UploadedApplication): Receipt {
  return {
    name,
    city: address.city,
    languages,
    files: [...(files.portrait ?? []), ...files.documents].map((file) => ({
      field: file.fieldname,
      key: file.key,
      name: file.originalname,
      size: file.size,
      sha256: file.checksum?.sha256 ?? '',
    })),
  };
}
