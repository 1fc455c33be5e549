/** Why a vector is read in another way than the suite expects, and who is right. */
export interface Difference {
  /** Where it shows: in the parser and behind it, or only in what an application gets. */
  readonly where: 'parser' | 'application';
  readonly reason: string;
}

const BASE_NAME =
  'Ours: RFC 7578, section 4.2, has receivers use no path that a client sends. The parser tells the name as it came; the application ' +
  'gets its last part, as from busboy.';

const BARE_LF =
  'Ours: RFC 2046, section 5.1.1, ends lines and delimiters by CRLF; a reader that also takes LF ends a part where others do not. The ' +
  'suite itself says that strict parsers should refuse it.';

export const DIFFERENCES: ReadonlyMap<string, Difference> = new Map([
  ['026-filename-with-backslash', { where: 'application', reason: BASE_NAME }],
  ['029-filename-path-traversal', { where: 'application', reason: BASE_NAME }],
  [
    '044-boundary-special-chars',
    {
      where: 'parser',
      reason:
        'Ours: RFC 2046, section 5.1.1, demands quotes around a boundary that has tspecials of RFC 2045; this one has ( ) , / : = ? without. The ' +
        'comma alone is what we refuse (it may join two Content-Types); the others are taken. WHATWG would take all of it.',
    },
  ],
  [
    '046-whitespace-around-boundary',
    {
      where: 'parser',
      reason:
        'Ours: RFC 9110, section 5.6.6, allows no white space around the = of a parameter. By WHATWG the space belongs to the boundary, ' +
        'which the body does not have then.',
    },
  ],
  ['061-lf-only-lenient', { where: 'parser', reason: BARE_LF }],
  ['062-mixed-endings', { where: 'parser', reason: BARE_LF }],
  [
    '208-duplicate-headers',
    {
      where: 'parser',
      reason:
        'Either: no standard says which of two Content-Dispositions holds, and readers take different ones. The suite says that refusing is ' +
        'correct too.',
    },
  ],
  [
    '210-control-chars-in-name',
    {
      where: 'parser',
      reason: 'Ours: RFC 9110, section 5.5, calls a NUL in a header invalid and dangerous. The suite allows both.',
    },
  ],
]);
