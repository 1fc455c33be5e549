/** A multipart/form-data body as bytes, so that a test can bend it. */
export interface Part {
  readonly name: string;
  readonly filename?: string;
  readonly type?: string;
  readonly data: Buffer | string;
}

export const BOUNDARY = 'X-TEST-BOUNDARY';
export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

export function form(...parts: readonly Part[]): Buffer {
  return Buffer.concat([...parts.map(partOf), Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

export function partHead({ name, filename, type }: Omit<Part, 'data'>): Buffer {
  const file = filename === undefined ? '' : `; filename="${filename}"`;
  const contentType = type === undefined ? '' : `Content-Type: ${type}\r\n`;
  return Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${contentType}\r\n`);
}

function partOf(part: Part): Buffer {
  return Buffer.concat([partHead(part), Buffer.from(part.data), Buffer.from('\r\n')]);
}

export const file = (
  data: Buffer | string,
  name = 'file',
  filename = 'a.bin',
  type = 'application/octet-stream',
): Part => ({
  name,
  filename,
  type,
  data,
});

export const field = (name: string, value: string): Part => ({ name, data: value });
