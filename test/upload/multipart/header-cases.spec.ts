import { describe } from '@jest/globals';
import { MAX_HEADER_LINES, MAX_HEADER_SIZE } from '../../../lib/upload/multipart/multipart-parser.js';
import { broken, DISPOSITION, headed, tellsTheSameAtEverySplit, told, utf8, whole } from './told-cases.js';

const refused = broken('malformed-header');

/** A form of one part with these parameters in its disposition. */
const disposed = (parameters: string): string => headed(`Content-Disposition: form-data${parameters}`);
const named = (name: string | undefined): ReturnType<typeof whole> => whole(told({ name }));
const file = (filename: string | undefined): ReturnType<typeof whole> => whole(told({ filename }));
const typed = (mimeType: string | undefined, charset?: string): ReturnType<typeof whole> =>
  whole(told({ mimeType, charset }));

/** A form whose header has exactly this many bytes, its empty line included. */
function sized(bytes: number): string {
  const line = 'X: ';
  return headed(DISPOSITION, line + 'x'.repeat(bytes - `${DISPOSITION}\r\n${line}\r\n\r\n`.length));
}

/** A form whose header has exactly this many lines. */
const counted = (lines: number): string => headed(DISPOSITION, ...Array.from({ length: lines - 1 }, () => 'X: x'));

describe('A header is told the same in one piece, in any two, and byte by byte:', () => {
  describe('its lines', () => {
    tellsTheSameAtEverySplit([
      ['in letters of any case', headed('CONTENT-disposition: FORM-Data; NAME=a'), whole(told())],
      ['no space behind the colon', headed('Content-Disposition:form-data;name="a"'), whole(told())],
      ['much space around the value', headed('Content-Disposition: \t form-data ; \t name="a" \t '), whole(told())],
      ['in another order', headed('Content-Type: a/b', DISPOSITION), typed('a/b')],
      ['fields that nobody asked for', headed('X-Any: \u0001', DISPOSITION, 'Y:', '__proto__: z'), whole(told())],
      ['a folded value', headed('Content-Disposition: form-data;', '\tname="a"'), whole(told())],
      ['a value that begins folded', headed('Content-Disposition:', ' form-data; name="a"'), whole(told())],
      ['a fold of nothing', headed(DISPOSITION, ' '), whole(told())],
      ['a fold within quotes', headed('Content-Disposition: form-data; name="a', ' b"'), named('a b')],
      ['a fold before the first line', headed(` ${DISPOSITION}`), refused],
      ['none', '--B\r\n\r\nx\r\n--B--', refused],
      ['a line without a colon', headed(DISPOSITION, 'x'), refused],
      ['no empty line at the end', `--B\r\n${DISPOSITION}\r\nx\r\n--B--\r\n\r\n`, refused],
      ['a line without a name', headed(DISPOSITION, ': x'), refused],
      ['a space before the colon', headed('Content-Disposition : form-data; name="a"'), refused],
      ['a space within a name', headed(DISPOSITION, 'X Y: z'), refused],
      ['a NUL', headed(DISPOSITION, 'X: \0'), refused],
      ['a NUL in a name', disposed('; name="a\0"'), refused],
      ['a lone CR', headed(DISPOSITION, 'X: a\rb'), refused],
      ['a lone LF', headed(DISPOSITION, 'X: a\nb'), refused],
      ['a lone CR at the end of a line', headed(`${DISPOSITION}\r`), refused],
      ['line feeds beside the line breaks', headed(DISPOSITION.replace(':', ':\n'), 'X: y\n'), refused],
      ['its disposition twice', headed(DISPOSITION, DISPOSITION), refused],
      ['its type twice', headed(DISPOSITION, 'Content-Type: a/b', 'content-type: a/b'), refused],
      ['exactly as many bytes as are allowed', sized(MAX_HEADER_SIZE), whole(told())],
      ['one byte more', sized(MAX_HEADER_SIZE + 1), refused],
      ['bytes without end', headed(DISPOSITION, 'X'.repeat(MAX_HEADER_SIZE)).slice(0, -14), refused],
      ['exactly as many lines as are allowed', counted(MAX_HEADER_LINES), whole(told())],
      ['one line more', counted(MAX_HEADER_LINES + 1), refused],
      [
        'one folded line more',
        headed(DISPOSITION, 'X: x', ...Array.from({ length: MAX_HEADER_LINES - 1 }, () => ' y')),
        refused,
      ],
    ]);
  });

  describe('its disposition', () => {
    tellsTheSameAtEverySplit([
      ['none', headed('Content-Type: text/plain'), refused],
      ['an empty one', headed('Content-Disposition:'), refused],
      ['attachment', headed('Content-Disposition: attachment; name="a"'), refused],
      ['one that only begins like form-data', headed('Content-Disposition: form-database; name="a"'), refused],
      ['no parameters', disposed(''), named(undefined)],
      ['semicolons without parameters', disposed(';; name="a" ; ;'), whole(told())],
      ['text where a parameter is due', disposed('; !!!invalid!!!'), refused],
      ['text behind a parameter', disposed('; name="a" b'), refused],
      ['space around the equals sign', disposed('; name = "a"'), refused],
      ['a parameter that nobody asked for', disposed('; x=y; name="a"; __proto__=z'), whole(told())],
      ['a name twice', disposed('; name="a"; NAME="b"'), refused],
      ['a filename twice', disposed('; filename="a"; filename="a"'), refused],
    ]);
  });

  describe('its name', () => {
    tellsTheSameAtEverySplit([
      ['an empty one', disposed('; name=""'), named('')],
      ['an empty one without quotes', disposed('; name='), refused],
      ['a token', disposed('; name=a_1'), named('a_1')],
      ['no token, without quotes', disposed('; name=a[b]'), refused],
      ['brackets', disposed('; name="a[b][]"'), named('a[b][]')],
      ['__proto__', disposed('; name="__proto__"'), named('__proto__')],
      ['constructor', disposed('; name=constructor'), named('constructor')],
      ['semicolons and equals signs in quotes', disposed('; name="a; filename=b; c"'), named('a; filename=b; c')],
      ['escaped quotes', disposed(String.raw`; name="a\"b\""`), named('a"b"')],
      ['percent escapes, which stay', disposed('; name="%22%0D%0a%"'), named('%22%0D%0a%')],
      ['a quote that is not closed', disposed('; name="a'), refused],
      ['a quote that only an escape closes', disposed(String.raw`; name="a\"`), refused],
      ['a lone quote', disposed('; name=a"'), refused],
      ['a quote in single quotes', disposed(`; name='a'`), named(`'a'`)],
      ['control characters and tabs', disposed('; name="a\u0001\tb\u007f"'), named('a\u0001\tb\u007f')],
      ['UTF-8', disposed(`; name="${utf8('naïve 文 🎈')}"`), named('naïve 文 🎈')],
      ['Latin-1', disposed('; name="na\xefve\xa0"'), named('na\xefve\xa0')],
      ['bytes of windows-1252, which are none of it', disposed('; name="\x80"'), named('\x80')],
      ['half a character of UTF-8', disposed(`; name="${utf8('é文').slice(0, -1)}"`), named(utf8('é文').slice(0, -1))],
      ['a surrogate in UTF-8', disposed('; name="\xed\xa0\x80"'), named('\xed\xa0\x80')],
      ['an extended name, which no standard has', disposed(`; name*=UTF-8''b`), named(undefined)],
    ]);
  });

  describe('its filename', () => {
    const named = (rest: string): string => disposed(`; name="a"; ${rest}`);
    tellsTheSameAtEverySplit([
      ['before the name', disposed('; filename="f"; name="a"'), file('f')],
      ['an empty one', named('filename=""'), file('')],
      ['a token', named('filename=f.txt'), file('f.txt')],
      ['a path of Windows', named(String.raw`filename="C:\path\file.txt"`), file(String.raw`C:\path\file.txt`)],
      ['a path whose backslashes are escaped', named(String.raw`filename="C:\\path\\f"`), file(String.raw`C:\path\f`)],
      ['a backslash before an escaped quote', named(String.raw`filename="\\\"f"`), file(String.raw`\"f`)],
      ['a path out of the folder', named('filename="../../etc/passwd"'), file('../../etc/passwd')],
      ['spaces around it', named('filename=" f "'), file(' f ')],
      ['semicolons in quotes', named('filename="f;g=h"'), file('f;g=h')],
      ['UTF-8', named(`filename="${utf8('文档.pdf')}"`), file('文档.pdf')],
      ['Latin-1', named('filename="\xfcber.txt"'), file('über.txt')],
      ['an extended one', named("filename*=utf-8'en'%E6%96%87%e6%A1%a3.pdf"), file('文档.pdf')],
      ['an extended one behind a plain one', named(`filename="f"; filename*=UTF-8''%C3%BC`), file('ü')],
      ['an extended one before a plain one', named(`filename*=UTF-8''%C3%BC; filename="f"`), file('ü')],
      ['an extended one of Latin-1', named("filename*=ISO-8859-1''%FCber"), file('über')],
      ['an extended one that is empty', named(`filename="f"; filename*=UTF-8''`), file('')],
      ['an extended one whose escapes are escaped', named("filename*=UTF-8''%2522"), file('%22')],
      ['an extended one of another charset', named(`filename="f"; filename*=koi8-r''%C3`), file('f')],
      ['an extended one that is no UTF-8', named(`filename="f"; filename*=UTF-8''%C3`), file('f')],
      ['an extended one with half an escape', named(`filename="f"; filename*=UTF-8''%C`), file('f')],
      ['an extended one with a NUL', named(`filename="f"; filename*=UTF-8''g%00`), file('g\0')],
      ['an extended one with a line break', named(`filename="f"; filename*=UTF-8''g%0D%0A`), file('g\r\n')],
      ['an extended one in quotes', named(`filename="f"; filename*="UTF-8''g"`), file('g')],
      ['an extended one alone that cannot be read', named('filename*=g'), refused],
      ['continuations, which are for mail', named('filename*0=f; filename*1=g'), file(undefined)],
    ]);
  });

  describe('its type and encoding', () => {
    const typedAs = (type: string): string => headed(DISPOSITION, `Content-Type: ${type}`);
    const encodedAs = (encoding: string): string => headed(DISPOSITION, `Content-Transfer-Encoding: ${encoding}`);
    tellsTheSameAtEverySplit([
      ['a type', typedAs('Image/SVG+xml'), typed('image/svg+xml')],
      ['a type with parameters', typedAs('text/plain ; format=flowed'), typed('text/plain')],
      ['a charset', typedAs('text/plain;charset=UTF-8'), typed('text/plain', 'utf-8')],
      ['a charset in quotes', typedAs(String.raw`text/plain; x="\\"; Charset="Latin1"`), typed('text/plain', 'latin1')],
      ['two charsets, of which none counts', typedAs('text/plain; charset=a; charset=b'), typed('text/plain')],
      ['parameters that cannot be read', typedAs('text/plain; charset=utf-8; x'), typed('text/plain')],
      ['a list of parts as content', typedAs('multipart/mixed; boundary=C'), typed('multipart/mixed')],
      ['an empty type', typedAs(''), typed(undefined)],
      ['a type without a subtype', typedAs('text; charset=utf-8'), typed(undefined)],
      ['text behind a type', typedAs('text/plain x'), typed(undefined)],
      ['an encoding', encodedAs('BASE64 '), whole(told({ encoding: 'base64' }))],
      ['an empty encoding', encodedAs(''), whole(told())],
    ]);
  });
});
