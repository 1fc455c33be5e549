/** The longest name that is kept, in UTF-8 bytes: what a file system takes. */
const MAX_NAME_BYTES = 255;

/** The longest extension that survives the cutting of a long name, in UTF-8 bytes with its dot. */
const MAX_EXTENSION_BYTES = 32;

// HTML Living Standard, "multipart/form-data encoding algorithm": browsers escape these three and nothing else, so that a bare % stays.
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['%0A', '\n'],
  ['%0D', '\r'],
  ['%22', '"'],
]);

/** A name of a form (a field's or a file's) without the escapes that browsers put into it. */
export function unescapeFormName(name: string): string {
  return name.replace(/%0A|%0D|%22/gi, (escape) => ESCAPES.get(escape.toUpperCase()) ?? escape);
}

/**
 * A client's file name as it may be shown and kept: the last part of a path of either kind, without control characters, well-formed,
 * at most 255 bytes. Empty where nothing is left.
 */
export function cleanFileName(name: string): string {
  const unescaped = unescapeFormName(name);
  // a round trip replaces lone surrogates
  const wellFormed = Buffer.from(unescaped, 'utf8').toString('utf8');
  const base = wellFormed
    .replace(/[\p{Cc}\u2028\u2029]/gu, '')
    .replace(/^.*[\\/]/s, '')
    .trim();
  return base === '.' || base === '..' ? '' : shortened(base);
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && Buffer.byteLength(name.slice(dot)) <= MAX_EXTENSION_BYTES ? name.slice(dot) : '';
  const stem = extension === '' ? name : name.slice(0, dot);
  return cut(stem, MAX_NAME_BYTES - Buffer.byteLength(extension)) + extension;
}

/** The longest beginning, in whole characters, that fits. */
function cut(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text, 'utf8');
  let end = maxBytes;
  // a byte 10xxxxxx continues a character
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
