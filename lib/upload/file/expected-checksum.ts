import type { IncomingHttpHeaders } from 'node:http';
import { ConfigurationError, type Checksum } from '../../contract/index.js';
import * as refused from '../errors/index.js';
import type { ChecksumRule } from '../upload-rules.js';
import type { ReceivedFile } from './stage-file.js';

const BYTES: Readonly<Record<keyof Checksum, number>> = { sha256: 32, md5: 16, crc32: 4 };

/** The names of RFC 9530, section 5; those of md5 and crc32 are of older days (RFC 3230). */
const DIGEST_KEYS: Readonly<Record<keyof Checksum, string>> = { sha256: 'sha-256', md5: 'md5', crc32: 'crc32' };

/**
 * Compares the files of a request with the checksums that came with them.
 *
 * @param fieldOf the text field of that name, if it came
 * @throws UploadException 422 for a difference, 400 for a value that is none, or that is missing where it is required
 */
export function verifyChecksums(
  files: readonly ReceivedFile[],
  headers: IncomingHttpHeaders,
  fieldOf: (name: string) => unknown,
): void {
  for (const { incoming, rule, digest } of files) {
    if (rule.checksum === undefined) continue;
    const { algorithm, required } = rule.checksum;
    const said = expectedOf(rule.checksum, incoming, headers, fieldOf);
    if (said === undefined) continue;
    const { where, value } = said;
    if (value === undefined) {
      if (required) throw refused.checksumMissing(incoming, where);
      continue;
    }
    const ofOneFile = rule.checksum.header === undefined || files.length === 1;
    const expected = typeof value === 'string' && ofOneFile ? readChecksum(algorithm, value) : undefined;
    if (expected === undefined) throw refused.checksumInvalid(incoming, where, algorithm);
    const actual = digest?.checksum?.[algorithm];
    if (actual !== expected) throw refused.checksumMismatch(incoming, algorithm, String(actual));
  }
}

function expectedOf(
  { header, field, expected }: ChecksumRule,
  incoming: ReceivedFile['incoming'],
  headers: IncomingHttpHeaders,
  fieldOf: (name: string) => unknown,
): { readonly where: string; readonly value: unknown } | undefined {
  if (expected !== undefined) return { where: 'the URL', value: expected };
  if (header !== undefined) return { where: `the header ${header}`, value: headers[header.toLowerCase()] };
  if (field === undefined) return undefined;
  const name: unknown = typeof field === 'function' ? field(incoming) : field;
  if (typeof name !== 'string') {
    // of an async function, which nobody waits for here: its failure must not end the process
    Promise.resolve(name).catch(() => undefined);
    throw new ConfigurationError('checksum.field must give the name of a field.');
  }
  return { where: `the field ${JSON.stringify(name)}`, value: fieldOf(name) };
}

/** @returns lower-case hex; undefined for what is no checksum of this kind */
function readChecksum(algorithm: keyof Checksum, value: string): string | undefined {
  const length = BYTES[algorithm];
  const text = inDictionary(algorithm, value.trim());
  if (new RegExp(`^[0-9a-f]{${length * 2}}$`, 'i').test(text)) return text.toLowerCase();
  // a field may be a mebibyte long: nothing is searched in what is no checksum by its length
  if (text.length > Math.ceil(length / 3) * 4) return undefined;
  const bytes = Buffer.from(text, 'base64');
  // Node reads whatever it is given; only what it gives back the same was Base64
  const same = bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
  return bytes.length === length && same ? bytes.toString('hex') : undefined;
}

/**
 * RFC 9530, section 2: `sha-256=:Base64:, sha-512=:Base64:`; of one key twice the last one holds (RFC 8941, section 3.2). What is no
 * dictionary is the value itself.
 */
function inDictionary(algorithm: keyof Checksum, value: string): string {
  let said = value;
  for (const member of value.split(',')) {
    const match = /^\s*([a-z0-9-]+)=:?([A-Za-z0-9+/=]+?):?\s*$/i.exec(member);
    if (match?.[1]?.toLowerCase() === DIGEST_KEYS[algorithm]) said = match[2] ?? '';
  }
  return said;
}
