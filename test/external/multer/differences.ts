const GAPS =
  "By design: the gaps of an array (`a[7]` alone) are closed, as Nest's own interceptors close those of multer's body; a validator would see " +
  'another array than the handler.';

/** Why one of multer's tests fails, by its title. */
export const DIFFERENCES: ReadonlyMap<string, string> = new Map([
  ['Fields should handle sparse arrays', GAPS],
  ['Fields should handle such deep', GAPS],
  [
    "Disk Storage should report error when directory doesn't exist",
    'By design: FileSystemStorage makes its root where it is missing, so that there is no error.',
  ],
  [
    'Error Handling should report errors from storage engines',
    "By design: the test replaces a function of multer's StorageEngine, which has no counterpart. What a storage cannot remove is logged with its " +
      'key and tried again.',
  ],
  [
    'File ordering should present files in same order as they came',
    "By design: the test replaces a function of multer's StorageEngine. The order itself is tested by test/upload/files-order.spec.ts.",
  ],
  [
    'Express Integration should not crash on malformed request that causes two errors to be emitted by busboy',
    'busboy is wrong: the delimiter stands right behind the empty line of the header, and RFC 2046, section 5.1.1, lets a part end with its ' +
      'header (`body-part := MIME-part-headers [CRLF *OCTET]`). It is an empty file.',
  ],
]);
