import type { UploadOptions } from 'nestjs-storages';

interface Scanner {
  isClean(bytes: AsyncIterable<Uint8Array>, options: { readonly signal: AbortSignal }): Promise<boolean>;
}

export const scannedBy = (scanner: Scanner): UploadOptions => ({
  // #region scan
  scan: ({ bytes }, { signal }) => scanner.isClean(bytes, { signal }),
  // #endregion scan
});
