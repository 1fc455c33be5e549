import type { StoredFile } from '../contract/index.js';

/** How an archive is answered with. */
export interface ArchiveOptions {
  /** The name under which a client saves the archive: any Unicode. Default: the prefix's last part, else `archive`, with `.zip`. */
  readonly filename?: string | undefined;
  /**
   * The name of a file inside the archive, with `/` between folders. Default: its key. Whatever it is, it is made safe: it is relative, climbs over nothing,
   * and is there once (`a.txt`, `a (2).txt`).
   */
  readonly name?: ((file: StoredFile) => string) | undefined;
  /**
   * How hard files are compressed, from 0 (stored as they are, which costs the server least) to 9. Default: 6 for types that shrink (text, JSON, XML, SVG,
   * bitmaps and the like), and 0 for every other type, most of which are compressed already.
   */
  readonly level?: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | undefined;
  /** `Cache-Control` (RFC 9111, section 5.2). Default `private, no-store`: the next archive may have other files in it. */
  readonly cacheControl?: string | undefined;
}
