/** The bytes of one text field, whole at its end. */
export class TextField {
  readonly name: string;
  readonly #charset: string;
  readonly #chunks: Buffer[] = [];
  size = 0;

  /** @param charset of the part's Content-Type; UTF-8 where it has none (RFC 7578, section 5.1.2) */
  constructor(name: string, charset = 'utf-8') {
    this.name = name;
    this.#charset = charset;
  }

  add(bytes: Buffer): void {
    this.size += bytes.length;
    this.#chunks.push(bytes);
  }

  /** @returns `undefined` where the charset is not known */
  value(): string | undefined {
    const [first] = this.#chunks;
    const bytes = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    if (this.#charset === 'utf-8' || this.#charset === 'utf8') return bytes.toString('utf8');
    try {
      return new TextDecoder(this.#charset).decode(bytes);
    } catch {
      return undefined;
    }
  }
}
