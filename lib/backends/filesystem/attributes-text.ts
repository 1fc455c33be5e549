import { attributesOf, contentTypeOfKey, type FileAttributes } from '../../contract/index.js';

/** Attributes that are not the default ones, with their stored form, which is a part of the etag. */
export interface StoredAttributes {
  readonly attributes: FileAttributes;
  readonly text: string;
}

/** The attributes of an object that has none stored: what a file that was dropped in by hand has. */
export function defaultAttributes(key: string): FileAttributes {
  return { contentType: contentTypeOfKey(key), metadata: {} };
}

/** The text to store; `undefined` for attributes that the key alone tells. */
export function encodeAttributes(key: string, attributes: FileAttributes): string | undefined {
  const { contentType, metadata, cacheControl, contentDisposition, contentEncoding } = attributes;
  const bare = cacheControl === undefined && contentDisposition === undefined && contentEncoding === undefined;
  if (bare && contentType === contentTypeOfKey(key) && Object.keys(metadata).length === 0) return undefined;
  return JSON.stringify({ key, contentType, metadata, cacheControl, contentDisposition, contentEncoding });
}

/** @returns `undefined` when the text is not what this storage writes: a power cut, the disk or a stranger has changed it */
export function decodeAttributes(key: string, text: string): StoredAttributes | undefined {
  const stored = parseText(text) ?? {};
  const { contentType, metadata, cacheControl, contentDisposition, contentEncoding } = stored;
  if (
    stored.key !== key ||
    typeof contentType !== 'string' ||
    !isRecordOfStrings(metadata) ||
    !isOptionalString(cacheControl) ||
    !isOptionalString(contentDisposition) ||
    !isOptionalString(contentEncoding)
  ) {
    return undefined;
  }
  const attributes = attributesOf({ contentType, metadata, cacheControl, contentDisposition, contentEncoding });
  return { attributes, text };
}

export function parseText(text: string): Partial<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined; // it is damaged
  }
}

function isRecordOfStrings(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.values(value).every((item) => typeof item === 'string');
}

function isOptionalString(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
