import { describe, expect, it } from '@jest/globals';
import { FileTypeParser } from 'file-type';
import { withFastChecks } from '../../lib/upload/file/signature.js';

interface Asked {
  readonly header: readonly number[];
  readonly offset: number;
}

/** Every signature that file-type's parser compares a file with that is none of them. */
async function signatures(): Promise<Asked[]> {
  const asked: Asked[] = [];
  class Recording extends FileTypeParser {
    check(header: readonly number[], { offset = 0 }: { readonly offset?: number } = {}): boolean {
      asked.push({ header, offset });
      return false;
    }
  }
  await new Recording().fromBuffer(Buffer.alloc(4100, 0xa5));
  return asked;
}

async function typeBy(parser: FileTypeParser, bytes: Buffer): Promise<string | undefined> {
  try {
    return (await parser.fromBuffer(bytes))?.mime;
  } catch (error) {
    return `failed: ${String(error)}`;
  }
}

const FastParser = withFastChecks(FileTypeParser);

describe('the checks of signatures', () => {
  it('find what those of file-type find, for each of its signatures, whole and cut', async () => {
    const found = new Set<string>();
    for (const { header, offset } of await signatures()) {
      for (const length of [4100, offset + header.length, offset + header.length - 1]) {
        const bytes = Buffer.alloc(length, 0xa5);
        Buffer.from(header).copy(bytes, offset);
        const expected = await typeBy(new FileTypeParser(), bytes);
        expect(await typeBy(new FastParser(), bytes)).toBe(expected);
        if (expected !== undefined) found.add(expected);
      }
    }
    // most of them: others need more than one signature
    expect(found.size).toBeGreaterThan(80);
  });

  it('are those that the parser calls', async () => {
    const base = FileTypeParser.prototype as unknown as { check: (...args: unknown[]) => boolean };
    expect(typeof base.check).toBe('function');
    const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
    const never = class extends FastParser {
      check = (): boolean => false;
      checkString = (): boolean => false;
    };
    expect(await typeBy(new never(), png)).toBeUndefined();
    expect(await typeBy(new FastParser(), Buffer.concat([png, Buffer.alloc(64)]))).toBe('image/png');
  });
});
