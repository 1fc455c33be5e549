import type { StoredFile } from '../contract/index.js';
import { essenceOf } from './inert-types.js';

/** Types that shrink. The unknown ones are not among them: most large files are compressed already. */
const SHRINKS =
  /^(?:text\/.+|.+\+(?:json|xml|yaml)|application\/(?:json|xml|javascript|ecmascript|x-javascript|rtf|sql|wasm|x-ndjson|x-sh|x-tar|x-yaml|yaml|postscript)|image\/(?:bmp|x-ms-bmp|tiff|vnd\.adobe\.photoshop)|audio\/(?:wav|x-wav|vnd\.wave)|font\/(?:ttf|otf))$/;

/** How hard a file is compressed whose route does not say it, from 0 to 9. */
export function compressionLevelOf({ contentType, contentEncoding }: StoredFile): number {
  return contentEncoding === undefined && SHRINKS.test(essenceOf(contentType)) ? 6 : 0;
}
