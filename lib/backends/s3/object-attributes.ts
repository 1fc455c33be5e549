import {
  contentTypeOfKey,
  freezeStoredFile,
  UNKNOWN_CONTENT_TYPE,
  type FileAttributes,
  type StoredFile,
} from '../../contract/index.js';

/** The name in the metadata of an object that was put under a condition: whose it is, when the answer was lost. It is not shown. */
const OWN_NAME = 'nestjs-storages-put';

/** The attributes as a request carries them. */
export interface RequestAttributes {
  readonly ContentType: string;
  readonly Metadata: Record<string, string>;
  readonly CacheControl?: string;
  readonly ContentDisposition?: string;
  readonly ContentEncoding?: string;
}

/** The attributes as HEAD and GET tell them. */
export interface AnswerAttributes {
  readonly ContentType?: string | undefined;
  readonly Metadata?: Record<string, string> | undefined;
  readonly CacheControl?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentLength?: number | undefined;
  readonly ETag?: string | undefined;
  readonly LastModified?: Date | undefined;
}

export interface RequestForm {
  /** Marks the object as that of one put. */
  readonly token?: string | undefined;
  /** Whether the server gives `_` in a name back as it is. */
  readonly keepsUnderscores: boolean;
}

export function toRequest(attributes: FileAttributes, { token, keepsUnderscores }: RequestForm): RequestAttributes {
  const { contentType, metadata, cacheControl, contentDisposition, contentEncoding } = attributes;
  const encoded = encodeMetadata(metadata, keepsUnderscores);
  if (token !== undefined) encoded.push([OWN_NAME, token]);
  return {
    ContentType: contentType,
    Metadata: Object.fromEntries(encoded),
    ...(cacheControl === undefined ? undefined : { CacheControl: cacheControl }),
    ...(contentDisposition === undefined ? undefined : { ContentDisposition: contentDisposition }),
    ...(contentEncoding === undefined ? undefined : { ContentEncoding: contentEncoding }),
  };
}

/** What S3 takes of metadata, in bytes of names and values as they are sent. */
const MAX_METADATA = 2048;
/** Bytes that a token takes of the metadata. */
const TOKEN_BYTES = OWN_NAME.length + 32;

export function hasRoomForToken({ metadata }: FileAttributes, keepsUnderscores: boolean): boolean {
  let bytes = TOKEN_BYTES;
  for (const [name, value] of encodeMetadata(metadata, keepsUnderscores)) bytes += name.length + value.length;
  return bytes <= MAX_METADATA;
}

export function tokenOf({ Metadata }: AnswerAttributes): string | undefined {
  return Metadata?.[OWN_NAME];
}

/** @param size of the whole object */
export function fromAnswer(key: string, answer: AnswerAttributes, size: number): StoredFile {
  return freezeStoredFile({
    ...attributesOfAnswer(answer),
    key,
    size,
    etag: etagOf(answer.ETag),
    lastModified: wholeSeconds(answer.LastModified),
  });
}

export function attributesOfAnswer(answer: AnswerAttributes): FileAttributes {
  const { ContentType, Metadata = {}, CacheControl, ContentDisposition, ContentEncoding } = answer;
  const metadata = Object.entries(Metadata)
    .filter(([name]) => name !== OWN_NAME)
    .map(([name, value]) => [decode(name), decode(value)] as const);
  return {
    contentType: ContentType ?? UNKNOWN_CONTENT_TYPE,
    metadata: Object.freeze(Object.fromEntries(metadata)),
    ...(isGiven(CacheControl) ? { cacheControl: CacheControl } : undefined),
    ...(isGiven(ContentDisposition) ? { contentDisposition: ContentDisposition } : undefined),
    ...(isGiven(ContentEncoding) ? { contentEncoding: ContentEncoding } : undefined),
  };
}

/** What a listing tells of an object, which is not its attributes. */
export function fromListing(
  key: string,
  size: number,
  etag: string | undefined,
  lastModified: Date | undefined,
): StoredFile {
  return freezeStoredFile({
    key,
    size,
    contentType: contentTypeOfKey(key),
    metadata: {},
    etag: etagOf(etag),
    lastModified: wholeSeconds(lastModified),
  });
}

export function etagOf(etag: string | undefined): string {
  return (etag ?? '').replace(/^(?:W\/)?"?|"?$/g, '');
}

/** A header has whole seconds, and a listing of some servers more. */
export function wholeSeconds(date: Date | undefined): Date {
  const time = date?.getTime() ?? 0;
  return new Date(time - (time % 1000));
}

function encodeMetadata(
  metadata: FileAttributes['metadata'],
  keepsUnderscores: boolean,
): (readonly [string, string])[] {
  // a name that is written so is a caller's, whatever it says
  const own = new RegExp(`^${OWN_NAME.charAt(0)}(?=${OWN_NAME.slice(1)}$)`);
  // `_` becomes `-` on servers that take headers for variables of an environment; written as `%5f` it takes of the room of the others
  const escaped = keepsUnderscores ? /%/g : /[%_]/g;
  const escape = (character: string): string => `%${character.charCodeAt(0).toString(16)}`;
  return Object.entries(metadata).map(([name, value]) => [
    name.replace(escaped, escape).replace(own, escape),
    encodeURIComponent(value),
  ]);
}

/** What others have stored may hold any `%`. */
function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isGiven(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
