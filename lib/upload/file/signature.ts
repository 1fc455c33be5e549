import type { FileTypeParser, FileTypeResult } from 'file-type';

/** What file-type's parser asks of the bytes, some 150 times a file. Its types do not tell of it. */
interface SignatureChecks {
  readonly buffer: Uint8Array;
  checkString(header: string, options?: CheckOptions): boolean;
}

interface CheckOptions {
  readonly offset?: number;
  readonly mask?: readonly number[];
  readonly encoding?: string;
}

type Parser = new () => FileTypeParser;

/** Loaded when the first upload comes: it is large, and applications that only read need none of it. */
let parser: Parser | undefined;

/** The type of a file by the signature in its first bytes, as file-type finds it; undefined where it has none that is known. */
export async function signatureOf(bytes: Buffer): Promise<FileTypeResult | undefined> {
  if (bytes.length === 0) return undefined;
  // not by import() each time, which costs as much as the look itself
  parser ??= withFastChecks((await import('file-type')).FileTypeParser);
  try {
    return await new parser().fromBuffer(bytes);
  } catch {
    // Its readers of container formats may stumble over a hostile or a cut file. Then the type is unknown, which is no failure.
    return undefined;
  }
}

/**
 * The same parser, whose comparisons make no objects: its own make four for each signature, and more of the CPU of a small upload went
 * there than into its storing. A version that compares in another way never calls these.
 */
export function withFastChecks(base: typeof FileTypeParser): Parser {
  const { checkString } = base.prototype as unknown as SignatureChecks;
  return class extends base {
    declare readonly buffer: Uint8Array;

    check(header: readonly number[], options?: CheckOptions): boolean {
      const { buffer } = this;
      const offset = options?.offset ?? 0;
      const mask = options?.mask;
      for (let i = 0; i < header.length; i++) {
        const byte = buffer[offset + i];
        // beyond the end there is nothing, which a mask makes 0
        if (header[i] !== (mask === undefined ? byte : (mask[i] ?? 0) & (byte ?? 0))) return false;
      }
      return true;
    }

    checkString(header: string, options?: CheckOptions): boolean {
      if (options?.encoding !== undefined) return checkString.call(this, header, options);
      const { buffer } = this;
      const offset = options?.offset ?? 0;
      for (let i = 0; i < header.length; i++) if (buffer[offset + i] !== header.charCodeAt(i)) return false;
      return true;
    }
  };
}
