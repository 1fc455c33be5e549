/** What a file system can hold of one part of a path, in bytes. */
const MAX_PART_BYTES = 255;

/**
 * The names inside one archive: relative, below the folder that it is unpacked into, and each there once, also where letter case, or how
 * an accent is written, makes no difference (macOS, Windows), and where a file would stand in the place of a folder.
 */
export class ArchiveNames {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();
  /** The last number behind a name that was taken. */
  readonly #numbers = new Map<string, number>();

  /** The name that a file has in the archive. */
  add(wanted: string): string {
    const parts = partsOf(wanted);
    const last = parts.pop() ?? 'unnamed';
    let folder = '';
    for (const part of parts) folder = `${this.#free(folder, part, (name) => !this.#files.has(name))}/`;
    const name = this.#free(folder, last, (each) => !this.#files.has(each) && !this.#folders.has(each));
    this.#files.add(folded(name));
    for (let end = name.indexOf('/'); end > 0; end = name.indexOf('/', end + 1)) {
      this.#folders.add(folded(name.slice(0, end)));
    }
    return name;
  }

  #free(folder: string, part: string, isFree: (folded: string) => boolean): string {
    const first = `${folder}${part}`;
    if (isFree(folded(first))) return first;
    const [stem, extension] = splitExtension(part);
    for (let number = this.#numbers.get(folded(first)) ?? 2; ; number++) {
      const name = `${folder}${stem} (${number})${extension}`;
      if (isFree(folded(name))) {
        this.#numbers.set(folded(first), number);
        return name;
      }
    }
  }
}

function partsOf(name: string): string[] {
  // a round trip replaces lone surrogates
  const wellFormed = Buffer.from(name, 'utf8').toString('utf8');
  const parts = wellFormed
    .replace(/[\p{Cc}\u2028\u2029]/gu, '_')
    .split(/[\\/]/)
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .map(shortened);
  // C: is a drive
  if (parts[0] !== undefined) parts[0] = parts[0].replace(/^([a-z]):/i, '$1_');
  return parts;
}

/** With its extension, and room for a number. */
function shortened(part: string): string {
  if (Buffer.byteLength(part) <= MAX_PART_BYTES) return part;
  const [stem, extension] = splitExtension(part);
  const kept = Buffer.byteLength(extension) > 32 ? '' : extension;
  const room = MAX_PART_BYTES - ' (123456)'.length - Buffer.byteLength(kept);
  let start = Buffer.from(stem).subarray(0, room).toString('utf8');
  // a character that was cut
  if (start.endsWith('\ufffd')) start = start.slice(0, -1);
  return `${start}${kept}`;
}

function splitExtension(part: string): [stem: string, extension: string] {
  const dot = part.lastIndexOf('.');
  return dot > 0 ? [part.slice(0, dot), part.slice(dot)] : [part, ''];
}

function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
