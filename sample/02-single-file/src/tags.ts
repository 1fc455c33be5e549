import { BadRequestException } from '@nestjs/common';
import type { StoredFile } from 'nestjs-storages';

/** The metadata field of the tags, as one text: "invoice, 2026". */
const FIELD = 'tags';

/** What is left of the storage's 2,048 bytes of metadata, which count as if they were percent-encoded. */
const MAX_BYTES = 2000;

/** `"Invoice , 2026,invoice"` is `['invoice', '2026']`. */
export function parseTags(text: string): string[] {
  const tags = text
    .normalize('NFC')
    .toLowerCase()
    // a control character may stand in no metadata
    .replace(/\p{Cc}/gu, ' ')
    .split(',')
    .map((tag) => tag.trim());
  return [...new Set(tags)].filter((tag) => tag !== '');
}

export function tagsOf({ metadata }: StoredFile): string[] {
  return parseTags(metadata[FIELD] ?? '');
}

/** @throws BadRequestException where there are too many */
export function metadataOf(tags: readonly string[]): Record<string, string> {
  if (tags.length === 0) return {};
  const text = tags.join(', ');
  if (encodeURIComponent(text).length > MAX_BYTES) throw new BadRequestException('Too many tags, or too long ones.');
  return { [FIELD]: text };
}
