import { BOUNDARY, file, form } from '../../upload/form.js';
import type { CaseGroup, Expected } from '../run/hostile-case.js';
import { CONTENT, posted, taken } from './kit.js';

const named = (originalname: string): Expected => taken([{ data: CONTENT, originalname }]);

/** As a client says it, in bytes (Latin-1), and what the handler gets. */
const names: readonly (readonly [what: string, parameter: string, originalname: string])[] = [
  ['UTF-8', 'filename="\xc3\xbc\xe6\xbc\xa2.txt"', 'ü漢.txt'],
  ['an emoji', 'filename="\xf0\x9f\x98\x80.png"', '😀.png'],
  ['an extended value in UTF-8', "filename*=UTF-8''%C3%BC%20%E2%82%AC.txt", 'ü €.txt'],
  ['an extended value in Latin-1', "filename*=ISO-8859-1''%FC.txt", 'ü.txt'],
  ['both kinds of value', `filename="plain.txt"; filename*=UTF-8''%C3%BC.txt`, 'ü.txt'],
  ['both kinds of value, the extended one first', `filename*=UTF-8''%C3%BC.txt; filename="plain.txt"`, 'ü.txt'],
  ['Latin-1 bytes', 'filename="\xfc\xe9.txt"', 'üé.txt'],
  ['a quote as browsers write it', 'filename="a%22b.txt"', 'a"b.txt'],
  ['a quote as curl writes it', 'filename="a\\"b.txt"', 'a"b.txt'],
  ['a line break as browsers write it', 'filename="a%0D%0Ab.txt"', 'ab.txt'],
  ['a bare percent sign', 'filename="100%.txt"', '100%.txt'],
  ['percent escapes of another kind', 'filename="%2e%2e%2f.txt"', '%2e%2e%2f.txt'],
  ['a semicolon', 'filename="a;b=c.txt"', 'a;b=c.txt'],
  ['a path upwards', 'filename="../../../etc/passwd"', 'passwd'],
  ['a path upwards with both slashes', 'filename="..\\\\..\\\\../x.txt"', 'x.txt'],
  ['a path upwards in an extended value', "filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", 'passwd'],
  ['an absolute path', 'filename="/etc/passwd"', 'passwd'],
  ['a path of Windows', 'filename="C:\\\\Users\\\\ada\\\\a.txt"', 'a.txt'],
  ['a folder', 'filename="a/b/"', ''],
  ['one dot', 'filename="."', ''],
  ['two dots', 'filename=".."', ''],
  ['three dots', 'filename="..."', '...'],
  ['a dot at its beginning', 'filename=".htaccess"', '.htaccess'],
  ['a name of a device', 'filename="nul.txt"', 'nul.txt'],
  ['spaces at both ends', 'filename="  a.txt  "', 'a.txt'],
  ['nothing but spaces', 'filename="   "', ''],
  ['300 bytes', `filename="${'n'.repeat(296)}.txt"`, `${'n'.repeat(251)}.txt`],
  ['300 emojis', `filename="${'\xf0\x9f\x98\x80'.repeat(300)}.txt"`, `${'😀'.repeat(62)}.txt`],
  ['an extension of 300 bytes', `filename="a.${'x'.repeat(300)}"`, `a.${'x'.repeat(253)}`],
  ['8,000 bytes', `filename="${'n'.repeat(8000)}"`, 'n'.repeat(255)],
  ['a line separator of Unicode', 'filename="a\xe2\x80\xa8b.txt"', 'ab.txt'],
  ['markup', 'filename="<script>alert(1)</script>.txt"', 'script>.txt'],
];

/** A form with one file whose disposition has this parameter. */
function withName(parameter: string): Buffer {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; ${parameter}\r\n\r\n`;
  return Buffer.from(`${head}${CONTENT}\r\n--${BOUNDARY}--\r\n`, 'latin1');
}

/** Names that cannot be decoded, or that have no one right reading: any that is well-formed, or a refusal. */
const DOUBTFUL: readonly (readonly [what: string, parameter: string])[] = [
  ['an overlong slash', 'filename="..\xc0\xafx.txt"'],
  ['half of a surrogate pair', 'filename="\xed\xa0\xbd.txt"'],
  ['a cut sequence of UTF-8', 'filename="a\xe6\xbc"'],
  ['a charset that is not known', "filename*=klingon''%FC.txt"],
  ['escapes that are none', "filename*=UTF-8''%ZZ%.txt"],
  ['UTF-7', "filename*=UTF-7''+AC4ALg-.txt"],
];

/** Where an application makes its key from the name, a path must stay inside of the storage. */
const KEYS = [
  '../../../../tmp/escaped',
  '..\\\\..\\\\escaped',
  'a.txt',
  '.storages/procs/x',
  '__proto__',
  'constructor',
  '%2e%2e%2fescaped',
  'n'.repeat(255),
];

export const fileNames: CaseGroup = {
  about: 'names of files',
  cases: [
    ...names.map(([what, parameter, originalname]) =>
      posted(`a file name of ${what}`, '/one', withName(parameter), named(originalname)),
    ),
    posted('a file name of control characters', '/one', withName('filename="a\x01\x08\x1f\x7fb.txt"'), {
      ...named('ab.txt'),
      status: [201, 400],
    }),
    ...DOUBTFUL.map(([what, parameter]) =>
      posted(`a file name of ${what}`, '/one', withName(parameter), { status: [201, 400], files: [{ data: CONTENT }] }),
    ),
    ...KEYS.map((name) =>
      posted(
        `a key made of the name ${name.slice(0, 30)}`,
        '/named',
        form(file(CONTENT, 'file', name)),
        taken([{ data: CONTENT }]),
      ),
    ),
    posted('a key made of no name', '/named', form(file(CONTENT, 'file', '..')), { status: [201, 400] }),
  ],
};
