// The headers of storedFile()'s answers (lib/download/answer-headers.ts), and of the requests that it heeds.

interface DescribedHeader {
  readonly description: string;
  readonly schema: { readonly type: 'string' | 'integer'; readonly enum?: string[] };
}

const text = (description: string): DescribedHeader => ({ description, schema: { type: 'string' } });

/** What a client needs to keep what it has, also with a 304 (RFC 9110, section 15.4.5). */
export const VALIDATORS = {
  ETag: text('The version of the file (RFC 9110, section 8.8.3).'),
  'Last-Modified': text('When it was stored (RFC 9110, section 8.8.2).'),
  'Cache-Control': text('Who may keep it, and for how long (RFC 9111, section 5.2).'),
};

export const WHOLE = {
  ...VALIDATORS,
  'Accept-Ranges': { description: 'Parts can be asked for.', schema: { type: 'string', enum: ['bytes'] } },
  'Content-Disposition': text('Whether it is shown or saved, and under which name (RFC 6266).'),
  'Content-Length': { description: 'Bytes.', schema: { type: 'integer' } },
  'X-Content-Type-Options': { description: 'nosniff', schema: { type: 'string', enum: ['nosniff'] } },
} satisfies Record<string, DescribedHeader>;

const CONTENT_RANGE = {
  'Content-Range': text(
    'Which bytes of how many these are; not where there are several parts (RFC 9110, section 14.4).',
  ),
};

export const PARTIAL = { ...WHOLE, ...CONTENT_RANGE };

export const UNSATISFIED = { 'Content-Range': text('`bytes */` and the size of the file.') };

export const REDIRECT = {
  Location: text('A URL of the storage, good for some minutes.'),
  'Cache-Control': VALIDATORS['Cache-Control'],
};

/** Of the request. */
export const CONDITIONS = {
  'If-Match': 'Answers only with one of these versions, else 412.',
  'If-None-Match': 'Answers 304 where the client has this version.',
  'If-Modified-Since': 'Answers 304 where the file is no newer.',
  'If-Unmodified-Since': 'Answers 412 where the file is newer.',
};

/** Of the request. */
export const RANGES = {
  Range: 'The part to answer with: `bytes=0-1023`, `bytes=-500` (RFC 9110, section 14.2).',
  'If-Range': 'The version that the part is meant of; of another one the whole is answered.',
};
