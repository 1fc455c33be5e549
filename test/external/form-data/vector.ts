import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { arrayIn, objectIn, optionalTextIn, textIn } from '../json.js';

/** What the suite expects of a part. */
export interface ExpectedPart {
  readonly name: string;
  readonly filename: string | undefined;
  /** Without its parameters. */
  readonly mimeType: string | undefined;
  readonly charset: string | undefined;
  readonly encoding: string | undefined;
  readonly size: number;
  /** Undefined where only the checksum is told. */
  readonly body: Buffer | undefined;
  /** SHA-256 in lower-case hex. */
  readonly checksum: string | undefined;
}

/** One body and what is to be read from it; `parts` is undefined where it has to be refused. */
export interface Vector {
  readonly id: string;
  readonly contentType: string;
  readonly body: Buffer;
  readonly parts: readonly ExpectedPart[] | undefined;
}

/** @param suite the folder of the suite's repository */
export async function readVectors(suite: string): Promise<Vector[]> {
  const root = join(suite, 'src/multipart_form_data_conformance/tests');
  const vectors: Vector[] = [];
  for (const category of await readdir(root)) {
    for (const id of await readdir(join(root, category))) vectors.push(await readVector(join(root, category, id)));
  }
  return vectors.sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function readVector(folder: string): Promise<Vector> {
  const test = await readJson(join(folder, 'test.json'));
  const headers = await readJson(join(folder, 'headers.json'));
  const id = textIn(test['id'], folder);
  const expected = objectIn(test['expected'], id);
  return {
    id,
    contentType: textIn(headers['content-type'], id),
    body: await readFile(join(folder, 'input.raw')),
    parts: expected['valid'] === true ? arrayIn(expected['parts'], id).map((part) => partOf(part, id)) : undefined,
  };
}

async function readJson(file: string): Promise<Readonly<Record<string, unknown>>> {
  return objectIn(JSON.parse(await readFile(file, 'utf8')), file);
}

function partOf(value: unknown, id: string): ExpectedPart {
  const part = objectIn(value, id);
  const headers = part['headers'] === undefined ? undefined : objectIn(part['headers'], id);
  const text = optionalTextIn(part['body_text'], id);
  const base64 = optionalTextIn(part['body_base64'], id);
  return {
    name: textIn(part['name'], id),
    // RFC 6266, section 4.3: the extended one is to be preferred
    filename: optionalTextIn(part['filename_star'], id) ?? optionalTextIn(part['filename'], id),
    mimeType: optionalTextIn(part['content_type'], id)?.split(';')[0],
    charset: optionalTextIn(part['charset'], id),
    encoding: optionalTextIn(headers?.['content-transfer-encoding'], id),
    size: Number(part['body_size']),
    body: bytesOf(text, base64),
    checksum: optionalTextIn(part['body_sha256'], id),
  };
}

function bytesOf(text: string | undefined, base64: string | undefined): Buffer | undefined {
  if (text !== undefined) return Buffer.from(text);
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64');
}
