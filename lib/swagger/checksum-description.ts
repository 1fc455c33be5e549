import { ApiHeader } from '@nestjs/swagger';
import { staticPartOf, type StaticFieldOptions } from '../upload/resolve-upload-options.js';
import type { UploadOptions } from '../upload/index.js';

type SaidChecksum = Exclude<StaticFieldOptions['checksum'], string | undefined>;

/** The header in which a client sends a checksum, where the interceptor's options name one. */
export function checksumHeader(upload: UploadOptions | undefined): MethodDecorator[] {
  return checksumsIn(upload).flatMap(({ algorithm, header, required }) =>
    header === undefined
      ? []
      : [
          ApiHeader({
            name: header,
            required: required ?? false,
            description: `The ${algorithm} of the file, in hex or Base64.`,
            schema: { type: 'string' },
          }),
        ],
  );
}

/** The text fields in which a client sends checksums. */
export function checksumTexts(upload: UploadOptions | undefined): Readonly<Record<string, object>> {
  return Object.fromEntries(
    checksumsIn(upload).flatMap(({ algorithm, field }) =>
      typeof field === 'string'
        ? [[field, { type: 'string', description: `The ${algorithm} of the file, in hex or Base64.` }] as const]
        : [],
    ),
  );
}

function checksumsIn(upload: UploadOptions | undefined): SaidChecksum[] {
  const known = staticPartOf(upload ?? {});
  return [known, ...Object.values(known.fields ?? {})].flatMap(({ checksum }) =>
    checksum === undefined || typeof checksum === 'string' ? [] : [checksum],
  );
}
