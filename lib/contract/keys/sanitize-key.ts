import { MAX_KEY_BYTES } from '../capabilities.js';
import { InvalidKeyError } from '../errors/index.js';

/** `sanitize` rewrites a key to its canonical form; `strict` refuses one that is not canonical already. */
export type KeyMode = 'sanitize' | 'strict';

export interface SanitizeKeyOptions {
  /** Default `sanitize`. */
  readonly mode?: KeyMode | undefined;
  /** Longest canonical key in UTF-8 bytes. Default 1,024. */
  readonly maxBytes?: number | undefined;
}

/** A backslash, an empty part, `.` or `..`: what the canonical form does not have. */
const NOT_CANONICAL = /\\|(?:^|\/)\.{0,2}(?:\/|$)/;
const CONTROL = /\p{Cc}/u;
const LONE_SURROGATE = /\p{Cs}/u;

/**
 * The canonical form of a key. `\` becomes `/`; leading `/`, empty parts and `.` go; `..` removes the part before it and never
 * climbs over the root. Nothing else is rewritten: spaces, dots, `%2F`, `?`, `#`, letter case, NFC and NFD stay distinct.
 *
 * @throws {@link InvalidKeyError} for a key that is empty after that, holds a control character (Unicode category Cc, so NUL too)
 *   or a lone surrogate, or is longer than 1,024 UTF-8 bytes; in strict mode also for one that is not canonical.
 * @example
 * sanitizeKey('../../etc/passwd'); // 'etc/passwd'
 * sanitizeKey('a\\b//c/./d/../e'); // 'a/b/c/e'
 */
export function sanitizeKey(key: string, options?: SanitizeKeyOptions): string;
export function sanitizeKey(key: unknown, options: SanitizeKeyOptions = {}): string {
  if (typeof key !== 'string') {
    throw new InvalidKeyError(`A key must be a string, not ${key === null ? 'null' : typeof key}.`, 'type');
  }
  if (CONTROL.test(key)) {
    throw new InvalidKeyError(
      'A key must not hold control characters (NUL, line breaks, tabs ...).',
      'control-character',
      { key },
    );
  }
  if (LONE_SURROGATE.test(key)) {
    throw new InvalidKeyError('A key must be well-formed Unicode: this one holds a lone surrogate.', 'lone-surrogate', {
      key,
    });
  }
  const canonical = NOT_CANONICAL.test(key) ? rewrite(key) : key;
  if (canonical === '') {
    throw new InvalidKeyError(
      'A key must name something: this one is empty once "/", "." and ".." are resolved.',
      'empty',
      { key },
    );
  }
  if (options.mode === 'strict' && canonical !== key) {
    throw new InvalidKeyError(
      `This storage takes keys in canonical form only (keys: 'strict'): use ${JSON.stringify(canonical)}.`,
      'not-canonical',
      { key },
    );
  }
  const maxBytes = options.maxBytes ?? MAX_KEY_BYTES;
  // A UTF-16 unit is at most three bytes of UTF-8, so most keys need no count.
  if (canonical.length * 3 > maxBytes && Buffer.byteLength(canonical) > maxBytes) {
    throw new InvalidKeyError(
      `A key may have at most ${maxBytes} bytes of UTF-8; this one has ${Buffer.byteLength(canonical)}.`,
      'too-long',
      {
        key,
      },
    );
  }
  return canonical;
}

function rewrite(key: string): string {
  const parts: string[] = [];
  for (const part of key.replaceAll('\\', '/').split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
