import type { Readable } from 'node:stream';
import {
  InvalidKeyError,
  MemoryStorage,
  type OpenedFile,
  type ResolvedCopyOptions,
  type ResolvedDeleteOptions,
  type ResolvedGetOptions,
  type ResolvedPutOptions,
  type StagedBytes,
  type StoredFile,
} from 'nestjs-storages';

/** Keeps an object under another key than it was given. */
abstract class RewrittenKeys extends MemoryStorage {
  protected abstract rewrite(key: string): string;

  protected override _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    return super._stage(this.rewrite(key), source, options);
  }

  protected override _get(key: string, options: ResolvedGetOptions): Promise<OpenedFile> {
    return super._get(this.rewrite(key), options);
  }

  protected override _getBytes(key: string, options: ResolvedGetOptions): Promise<Buffer> {
    return super._getBytes(this.rewrite(key), options);
  }

  protected override _info(key: string): Promise<StoredFile> {
    return super._info(this.rewrite(key));
  }

  protected override _delete(key: string, options: ResolvedDeleteOptions): Promise<void> {
    return super._delete(this.rewrite(key), options);
  }

  protected override _copy(from: string, to: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    return super._copy(this.rewrite(from), this.rewrite(to), options);
  }

  protected override _move(from: string, to: string, options: ResolvedCopyOptions): Promise<StoredFile> {
    return super._move(this.rewrite(from), this.rewrite(to), options);
  }
}

/** Composes letters and their accents, as one file system does. */
export class KeysInNfc extends RewrittenKeys {
  protected override rewrite(key: string): string {
    return key.normalize('NFC');
  }
}

/** Folds letter case, as two file systems do. */
export class KeysWithoutCase extends RewrittenKeys {
  protected override rewrite(key: string): string {
    return key.toLowerCase();
  }
}

/** Drops dots and spaces at the end of a name, as one system does. */
export class KeysWithoutTrailingDots extends RewrittenKeys {
  protected override rewrite(key: string): string {
    return key
      .split('/')
      .map((part) => part.replace(/(?<=.)[. ]+$/, ''))
      .join('/');
  }
}

/** Decodes what looks percent-encoded, as a careless HTTP client does. */
export class KeysDecoded extends RewrittenKeys {
  protected override rewrite(key: string): string {
    return key.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) =>
      Buffer.from(escapes.replaceAll('%', ''), 'hex').toString(),
    );
  }
}

/** Cuts names at 255 bytes. */
export class NamesCutAt255 extends RewrittenKeys {
  protected override rewrite(key: string): string {
    return key
      .split('/')
      .map((part) => Buffer.from(part).subarray(0, 255).toString())
      .join('/');
  }
}

/** A name is a file or a folder, never both. */
export class NoObjectBesideItsFolder extends MemoryStorage {
  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    const conflict = [...this.objects.keys()].some(
      (other) => other.startsWith(`${key}/`) || key.startsWith(`${other}/`),
    );
    if (conflict) throw new InvalidKeyError('There is a folder of this name.', 'type', { key });
    return super._stage(key, source, options);
  }
}

/** Names that the storage has taken for itself. */
export class ReservedNames extends MemoryStorage {
  protected override async _stage(key: string, source: Readable, options: ResolvedPutOptions): Promise<StagedBytes> {
    if (key.split('/').some((part) => part.startsWith('.meta'))) {
      throw new InvalidKeyError('This name is reserved.', 'type', { key });
    }
    return super._stage(key, source, options);
  }
}

/** Takes any key, also one with a line break, and makes of it what it likes. */
export class ControlCharactersDropped extends MemoryStorage {
  override exists(key: string): Promise<boolean> {
    return super.exists(typeof key === 'string' ? key.replace(/\p{Cc}/gu, '') : key);
  }
}
