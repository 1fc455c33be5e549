import { GatheredBytes } from '../file/gathered-bytes.js';

/** The bytes of one text field, whole at its end. */
export class TextField {
  readonly name: string;
  readonly #charset: string;
  readonly #bytes = new GatheredBytes();

  /** @param charset of the part's Content-Type; UTF-8 where it has none (RFC 7578, section 5.1.2) */
  constructor(name: string, charset = 'utf-8') {
    this.name = name;
    this.#charset = charset;
  }

  get size(): number {
    return this.#bytes.size;
  }

  add(bytes: Buffer): void {
    this.#bytes.add(bytes);
  }

  /** @returns `undefined` where the charset is not known */
  value(): string | undefined {
    const { slices } = this.#bytes;
    const [first] = slices;
    const bytes = slices.length === 1 && first !== undefined ? first : Buffer.concat(slices);
    if (this.#charset === 'utf-8' || this.#charset === 'utf8') return bytes.toString('utf8');
    try {
      return new TextDecoder(this.#charset).decode(bytes);
    } catch {
      return undefined;
    }
  }
}
