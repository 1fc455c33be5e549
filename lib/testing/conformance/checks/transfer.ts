import type { CheckBody, CheckContext } from '../check.js';

/** The two methods that take an object to another key. */
export type Transfer = 'copy' | 'move';
const BOTH = ['copy', 'move'] as const;

/** Every attribute, each with a value of its own. */
export const ATTRIBUTES = {
  contentType: 'text/html; charset=utf-8',
  metadata: { owner: 'Ada', note: 'äöü 😀' },
  cacheControl: 'max-age=60',
  contentDisposition: 'attachment; filename="a.html"',
  contentEncoding: 'gzip',
} as const;

/** A check for each of the two. */
export const forBoth = (
  name: (method: Transfer) => string,
  run: (context: CheckContext, method: Transfer) => Promise<void>,
): readonly CheckBody[] => BOTH.map((method) => ({ name: name(method), run: (context) => run(context, method) }));
