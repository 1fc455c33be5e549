import { cleanFileName } from '../multipart/file-name.js';
import { decoded, decodedExtended, parametersOf } from '../multipart/header-parameters.js';

/**
 * The file name in the Content-Disposition of a request (RFC 6266, as clients of PUT send it): cleaned, and empty where there is none or it
 * cannot be read. Nothing rests on it.
 */
export function fileNameOfRequest(disposition: string | undefined): string {
  if (disposition === undefined) return '';
  const start = disposition.indexOf(';');
  const parameters = start < 0 ? undefined : parametersOf(disposition, start);
  const extended = parameters?.get('filename*');
  const name =
    (extended === undefined ? undefined : decodedExtended(extended)) ?? decoded(parameters?.get('filename') ?? '');
  return cleanFileName(name);
}
